"""The pickle machine, with nothing behind it: every opcode is followed, and none does anything.

The opcodes are those of ``pickletools`` (protocols 0 to 5). What lies on the stack is known where names are made of it,
and opaque elsewhere. No length in the file is believed: what it claims is skipped, and only names are kept.

joblib writes the bytes of arrays between opcodes, after the object that describes them; they are skipped as joblib does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from solon.evidence.artifacts.limits import Broken
from solon.evidence.artifacts.pickles.traces import OVERLAP, Made, Name, Traces
from solon.evidence.artifacts.source import Stream

MAX_NAME: Final = 1024
MAX_LINE: Final = 1 << 16
MAX_STACK: Final = 4_000_000
MAX_TUPLE: Final = 32
MAX_DEPTH: Final = 16
# All text that is kept of one stream: names that are made of what comes after are not resolved.
MAX_KEPT: Final = 64 << 20

ARRAYS: Final = frozenset(
    {
        "joblib.numpy_pickle.NumpyArrayWrapper",
        "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper",
    }
)
_ARRAY_FIELDS: Final = frozenset({"shape", "dtype", "numpy_array_alignment_bytes"})
_DTYPE: Final = re.compile(r"[<>=|]?([biufcSUVmM])(\d+)\Z")
_PLAUSIBLE: Final = re.compile(r"\w[\w.]*\Z")


class Opaque:
    """A value that no name is made of."""


OPAQUE: Final = Opaque()


class Stopped(Exception):
    """The bound on opcodes, or on what lies on the stack, was reached."""


class Machine:
    """Follows one pickle from where the stream stands to its STOP. Raises Broken, and Stopped.

    ``strict`` is for content that may be none: names that no module has end it.
    """

    def __init__(
        self, stream: Stream, traces: Traces, most: int, depth: int = 0, *, strict: bool = False
    ) -> None:
        self.stream = stream
        self.traces = traces
        self.most = most
        self.depth = depth
        self.strict = strict
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: list[Any] = []
        self.sparse: dict[int, Any] = {}
        self.kept = 0
        self.done = False

    def run(self) -> None:
        stream, traces, doing = self.stream, self.traces, _DOING
        self.done = False
        while not self.done:
            if stream.at >= len(stream.buffer) and not stream.need(1):
                raise Broken(f"truncated: ends at byte {stream.position} without a STOP")
            opcode = stream.buffer[stream.at]
            do = doing.get(opcode)
            if do is None:
                raise Broken(f"no opcode at byte {stream.position}: 0x{opcode:02x}")
            stream.at += 1
            traces.steps += 1
            if traces.steps > self.most:
                raise Stopped(f"more than {self.most} opcodes")
            do(self)
            if len(self.stack) > MAX_STACK:
                raise Stopped("more on its stack than is followed")

    # --- the stack

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Broken(f"an opcode before byte {self.stream.position} finds nothing on the stack")
        return self.stack.pop()

    def top(self) -> Any:
        value = self.pop()
        self.stack.append(value)
        return value

    def cut(self) -> list[Any]:
        """What lies above the last mark, which is taken away, too."""
        if not self.marks:
            raise Broken(f"an opcode before byte {self.stream.position} finds no mark on the stack")
        mark = self.marks.pop()
        above = self.stack[mark:]
        del self.stack[mark:]
        return above

    def text(self, data: bytes) -> Any:
        self.kept += len(data)
        if self.kept > MAX_KEPT:
            return OPAQUE
        return data.decode("utf-8", "surrogatepass")

    def number(self, size: int) -> int:
        return int.from_bytes(self.stream.exactly(size), "little")

    def remember(self, key: int, value: Any) -> None:
        if key < 0:
            raise Broken(f"a memo key below 0 before byte {self.stream.position}")
        if key < len(self.memo):
            self.memo[key] = value
        elif key == len(self.memo) and not self.sparse:
            self.memo.append(value)
        else:
            self.sparse[key] = value
        if len(self.memo) + len(self.sparse) > MAX_STACK:
            raise Stopped("more in its memo than is followed")

    def recall(self, key: int) -> Any:
        if key in self.sparse:
            return self.sparse[key]
        if not 0 <= key < len(self.memo):
            raise Broken(f"nothing in the memo under the key before byte {self.stream.position}")
        return self.memo[key]

    # --- what can run something

    def bring(self, opcode: str, module: Any, name: Any) -> Any:
        self.traces.runs(opcode)
        if type(module) is str and type(name) is str:
            if self.strict and not _PLAUSIBLE.match(f"{module}.{name}"):
                raise Broken(f"no name of a module before byte {self.stream.position}")
            whole = Name(f"{module}.{name}")
            self.traces.brings(whole)
            return whole
        self.traces.unresolved += 1
        return Made()

    def call(self, opcode: str, function: Any, arguments: Any) -> None:
        self.traces.runs(opcode)
        self.traces.called(function)
        made = Made(str(function) if isinstance(function, Name) else "")
        if made.of == "numpy.dtype" and type(arguments) is tuple and arguments and type(arguments[0]) is str:
            made.dtype = arguments[0]
            made.objects = "O" in made.dtype
        self.stack.append(made)

    def fill(self, opcode: str) -> None:
        """An object that takes items may be of a class that does something with them."""
        target = self.top()
        if isinstance(target, Name | Made):
            self.traces.runs(opcode)
            self.traces.state(target)

    def array(self, fields: dict[str, Any]) -> None:
        """The bytes of an array, as joblib writes them. Raises Broken where nobody can tell how many there are."""
        self.traces.arrays += 1
        shape, dtype = fields.get("shape"), fields.get("dtype")
        kind = dtype.dtype if isinstance(dtype, Made) else ""
        if isinstance(dtype, Made) and dtype.objects:
            if self.depth == MAX_DEPTH:
                raise Stopped("arrays in arrays, nested too deeply")
            Machine(self.stream, self.traces, self.most, self.depth + 1).run()
            return
        size = _DTYPE.match(kind)
        if size is None or type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
            raise Broken(f"an array at byte {self.stream.position} of which nobody can tell the size")
        count = int(size[2]) * (4 if size[1] == "U" else 1)
        for extent in shape:
            count *= extent
        if fields.get("numpy_array_alignment_bytes") is not None:
            self.stream.pass_over(self.number(1))
        self.bury(count)

    def bury(self, size: int) -> None:
        """Bytes that this machine passes over, and that another reader may take for opcodes."""
        tail = b""
        for piece in self.stream.chunks(size):
            size -= len(piece)
            self.traces.scan(tail + piece, all_names=False)
            tail = piece[-OVERLAP:]
        if size:
            raise Broken(f"truncated at byte {self.stream.position}")


# --- the opcodes


def _stop(m: Machine) -> None:
    m.pop()
    m.done = True


def _proto(m: Machine) -> None:
    version = m.number(1)
    if version > 5:
        raise Broken(f"pickle protocol {version}, which is not known")
    m.traces.protocol = max(m.traces.protocol, version)


def _mark(m: Machine) -> None:
    m.marks.append(len(m.stack))
    if len(m.marks) > MAX_STACK:
        raise Stopped("more on its stack than is followed")


def _pop(m: Machine) -> None:
    if m.marks and m.marks[-1] == len(m.stack):
        m.marks.pop()
    else:
        m.pop()


def _push(value: Any) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.stack.append(value)

    return do


def _payload(size: int, *, text: bool = False, signed: bool = False) -> Callable[[Machine], None]:
    """A length of so many bytes, and that many more."""

    def do(m: Machine) -> None:
        length = m.number(size)
        if signed and length >= 1 << 31:
            raise Broken(f"a length below 0 before byte {m.stream.position}")
        if text and length <= MAX_NAME:
            m.stack.append(_decoded(m, m.stream.exactly(length)))
            return
        m.bury(length)
        m.stack.append(OPAQUE)

    return do


def _decoded(m: Machine, data: bytes) -> Any:
    try:
        return m.text(data)
    except UnicodeDecodeError:
        return OPAQUE


def _quoted(m: Machine) -> None:
    line = _long_line(m)
    if line is None:
        return
    line = line.strip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise Broken(f"a string without quotes before byte {m.stream.position}")
    # The unpickler undoes the escapes of Python 2; those that names can be written in are the same in Python 3.
    _append_escaped(m, line[1:-1], "unicode_escape" if b"\\" in line else "utf-8")


def _unicode(m: Machine) -> None:
    line = _long_line(m)
    if line is not None:
        _append_escaped(m, line, "raw-unicode-escape")


def _append_escaped(m: Machine, data: bytes, encoding: str) -> None:
    m.kept += len(data)
    try:
        m.stack.append(data.decode(encoding) if m.kept <= MAX_KEPT else OPAQUE)
    except UnicodeDecodeError:
        m.stack.append(OPAQUE)


def _long_line(m: Machine) -> bytes | None:
    """The line of a string; None for one that is too long for a name, and opaque."""
    try:
        return m.stream.line(MAX_LINE)
    except Broken:
        if not m.stream.pass_line():
            raise
        m.stack.append(OPAQUE)
        return None


def _integer(m: Machine) -> None:
    line = m.stream.line(MAX_LINE)
    if line in (b"00", b"01"):
        m.stack.append(OPAQUE)
        return
    _decimal(m, line)


def _long(m: Machine) -> None:
    _decimal(m, m.stream.line(MAX_LINE).removesuffix(b"L"))


def _decimal(m: Machine, line: bytes) -> None:
    if not re.fullmatch(rb"\s*[-+]?[0-9a-fA-FxXoO_]+\s*", line):
        raise Broken(f"an integer before byte {m.stream.position} that is none")
    try:
        m.stack.append(int(line) if len(line) <= 20 else OPAQUE)
    except ValueError:
        m.stack.append(OPAQUE)


def _float(m: Machine) -> None:
    line = m.stream.line(MAX_LINE)
    try:
        float(line)
    except ValueError:
        raise Broken(f"a number before byte {m.stream.position} that is none") from None
    m.stack.append(OPAQUE)


def _fixed(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.stack.append(m.number(size))

    return do


def _binfloat(m: Machine) -> None:
    m.stream.exactly(8)
    m.stack.append(OPAQUE)


def _long_of(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        length = m.number(size)
        if length >= 1 << 31:
            raise Broken(f"a length below 0 before byte {m.stream.position}")
        if length <= 8:
            m.stack.append(int.from_bytes(m.stream.exactly(length), "little", signed=True))
        else:
            m.stream.pass_over(length)
            m.stack.append(OPAQUE)

    return do


def _dict(m: Machine) -> None:
    fields: dict[str, Any] = {}
    _fields(fields, m.cut())
    m.stack.append(fields)


def _fields(into: Any, pairs: list[Any]) -> None:
    if type(into) is dict:
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            if type(key) is str and key in _ARRAY_FIELDS:
                into[key] = value


def _setitem(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    m.fill("SETITEM")
    _fields(m.top(), [key, value])


def _setitems(m: Machine) -> None:
    pairs = m.cut()
    m.fill("SETITEMS")
    _fields(m.top(), pairs)


def _append(m: Machine) -> None:
    m.pop()
    m.fill("APPEND")


def _appends(opcode: str) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.cut()
        m.fill(opcode)

    return do


def _gathered(m: Machine) -> None:
    m.cut()
    m.stack.append(OPAQUE)


def _tuple(m: Machine) -> None:
    above = m.cut()
    m.stack.append(tuple(above) if len(above) <= MAX_TUPLE else OPAQUE)


def _tuple_of(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.stack.append(tuple([m.pop() for _ in range(size)][::-1]))

    return do


def _get(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.stack.append(m.recall(m.number(size)))

    return do


def _put(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        m.remember(m.number(size), m.top())

    return do


def _key(m: Machine) -> int:
    line = m.stream.line(MAX_LINE)
    try:
        return int(line) if len(line) <= 20 else -1
    except ValueError:
        raise Broken(f"a memo key before byte {m.stream.position} that is none") from None


def _memoize(m: Machine) -> None:
    m.remember(len(m.memo) + len(m.sparse), m.top())


def _line_of_name(m: Machine) -> str:
    return m.stream.line(MAX_LINE).decode("utf-8", "replace")


def _global(m: Machine) -> None:
    module = _line_of_name(m)
    m.stack.append(m.bring("GLOBAL", module, _line_of_name(m)))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    m.stack.append(m.bring("STACK_GLOBAL", module, name))


def _inst(m: Machine) -> None:
    module = _line_of_name(m)
    name = _line_of_name(m)
    function = m.bring("INST", module, name)  # before its arguments are looked for, as unpicklers do
    m.cut()
    m.traces.called(function)
    m.stack.append(Made(str(function)))


def _obj(m: Machine) -> None:
    above = m.cut()
    if not above:
        raise Broken(f"OBJ before byte {m.stream.position} finds no class")
    m.call("OBJ", above[0], tuple(above[1 : MAX_TUPLE + 1]))


def _reduce(m: Machine) -> None:
    arguments, function = m.pop(), m.pop()
    m.call("REDUCE", function, arguments)


def _newobj(m: Machine) -> None:
    arguments, cls = m.pop(), m.pop()
    m.call("NEWOBJ", cls, arguments)


def _newobj_ex(m: Machine) -> None:
    m.pop()
    arguments, cls = m.pop(), m.pop()
    m.call("NEWOBJ_EX", cls, arguments)


def _build(m: Machine) -> None:
    state = m.pop()
    target = m.top()
    m.traces.runs("BUILD")
    m.traces.state(target)
    if not isinstance(target, Made):
        return
    if target.of in ARRAYS and type(state) is dict:
        m.array(state)
    elif target.dtype and type(state) is tuple and len(state) >= 8 and type(state[7]) is int:
        target.objects = bool(state[7] & 1)  # NPY_ITEM_HASOBJECT, of numpy's dtype.__reduce__


def _ext(size: int) -> Callable[[Machine], None]:
    def do(m: Machine) -> None:
        code = m.number(size)
        m.stack.append(m.bring(f"EXT{size}", "copyreg", f"extension({code})"))

    return do


def _persid(m: Machine) -> None:
    m.stream.line(MAX_LINE)
    m.traces.runs("PERSID")
    m.stack.append(Made())


def _binpersid(m: Machine) -> None:
    m.pop()
    m.traces.runs("BINPERSID")
    m.stack.append(Made())


_DOING: Final[dict[int, Callable[[Machine], None]]] = {
    ord(opcode): do
    for opcode, do in {
        ".": _stop,
        "\x80": _proto,
        "\x95": lambda m: m.stream.exactly(8) and None,
        "(": _mark,
        "0": _pop,
        "1": lambda m: m.cut() and None,
        "2": lambda m: m.stack.append(m.top()),
        "N": _push(OPAQUE),
        "\x88": _push(OPAQUE),
        "\x89": _push(OPAQUE),
        "I": _integer,
        "L": _long,
        "F": _float,
        "J": _fixed(4),
        "K": _fixed(1),
        "M": _fixed(2),
        "G": _binfloat,
        "\x8a": _long_of(1),
        "\x8b": _long_of(4),
        "S": _quoted,
        "T": _payload(4, text=True, signed=True),
        "U": _payload(1, text=True),
        "V": _unicode,
        "X": _payload(4, text=True),
        "\x8c": _payload(1, text=True),
        "\x8d": _payload(8, text=True),
        "B": _payload(4),
        "C": _payload(1),
        "\x8e": _payload(8),
        "\x96": _payload(8),
        "\x97": _push(OPAQUE),
        "\x98": lambda m: m.top() and None,
        "]": _push(OPAQUE),
        "}": lambda m: m.stack.append({}),
        ")": _push(()),
        "\x8f": _push(OPAQUE),
        "a": _append,
        "e": _appends("APPENDS"),
        "\x90": _appends("ADDITEMS"),
        "s": _setitem,
        "u": _setitems,
        "l": _gathered,
        "\x91": _gathered,
        "d": _dict,
        "t": _tuple,
        "\x85": _tuple_of(1),
        "\x86": _tuple_of(2),
        "\x87": _tuple_of(3),
        "g": lambda m: m.stack.append(m.recall(_key(m))),
        "h": _get(1),
        "j": _get(4),
        "p": lambda m: m.remember(_key(m), m.top()),
        "q": _put(1),
        "r": _put(4),
        "\x94": _memoize,
        "c": _global,
        "\x93": _stack_global,
        "i": _inst,
        "o": _obj,
        "R": _reduce,
        "\x81": _newobj,
        "\x92": _newobj_ex,
        "b": _build,
        "\x82": _ext(1),
        "\x83": _ext(2),
        "\x84": _ext(4),
        "P": _persid,
        "Q": _binpersid,
    }.items()
}


def opcode_at(data: bytes, offset: int) -> bool:
    return data[offset] in _DOING
