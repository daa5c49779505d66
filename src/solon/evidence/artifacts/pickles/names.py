"""What the names that a pickle brings in are known for.

A pickle is refused by its format, whatever it names: these tables only say, in plain words, what it would do. No list
of dangerous names is ever whole, so a name that is in neither table is told of as not known, not as harmless.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Kind = Literal["dangerous", "ordinary", "other"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a module does for whoever can call any of it; with it all modules below.
_MODULES: Final[dict[str, str]] = {
    module: effect
    for effect, modules in {
        "runs commands": (
            "os posix nt subprocess _posixsubprocess commands popen2 pty platform multiprocessing asyncio pexpect sh plumbum paramiko "
            "fabric invoke webbrowser antigravity uuid ensurepip pip venv setuptools distutils pydoc_data _osx_support "
            "_aix_support _pyrepl test idlelib torch.utils.cpp_extension torch._inductor torch.utils.collect_env numpy.distutils "
            "concurrent.futures sched threading _thread cffi ctypes _ctypes"
        ),
        "runs Python code": (
            "runpy code codeop timeit cProfile profile pdb bdb trace doctest pydoc lib2to3 IPython numexpr numpy.f2py "
            "numpy.testing torch._dynamo torch.fx torch.jit torch.utils.bottleneck torch.package sympy jinja2 mako"
        ),
        "finds or makes anything by name": (
            "importlib _frozen_importlib _frozen_importlib_external imp pkgutil zipimport inspect operator _operator "
            "functools copyreg copy_reg gc sys site sysconfig types cloudpickle dill weakref atexit signal _testcapi unittest.mock"
        ),
        "loads another pickle": (
            "pickle _pickle cPickle marshal shelve pickletools torch.serialization torch.hub joblib pandas.io.pickle torch.utils._config_module torch.utils.data.datapipes"
        ),
        "reads or writes files": (
            "shutil io _io codecs tempfile pathlib fileinput linecache glob zipfile tarfile gzip bz2 lzma mmap sqlite3 _sqlite3 dbm logging "
            "configparser csv posixpath ntpath fcntl"
        ),
        "reaches the network": (
            "socket _socket ssl _ssl socketserver http httplib urllib urllib2 urllib3 requests httpx aiohttp ftplib smtplib "
            "poplib imaplib nntplib telnetlib xmlrpc SimpleXMLRPCServer xmlrpclib websockets boto3 botocore huggingface_hub"
        ),
    }.items()
    for module in modules.split()
}

# Single names of modules that also hold what is harmless.
_NAMES: Final[dict[str, str]] = {
    name: effect
    for effect, names in {
        "runs Python code": "builtins.eval builtins.exec builtins.compile builtins.execfile builtins.breakpoint builtins.input "
        "builtins.apply pandas.eval pandas.core.computation.eval.eval pandas.core.frame.DataFrame.eval pandas.core.frame.DataFrame.query",
        "finds or makes anything by name": "builtins.__import__ builtins.getattr builtins.setattr builtins.delattr builtins.globals "
        "builtins.locals builtins.vars builtins.type builtins.__build_class__ builtins.__loader__ builtins.memoryview builtins.map "
        "builtins.filter builtins.reduce builtins.reload torch.ops.load_library torch._ops",
        "reads or writes files": "builtins.open builtins.file numpy.fromfile numpy.genfromtxt numpy.loadtxt numpy.savetxt numpy.save "
        "numpy.memmap torch.from_file numpy.ndarray.tofile torch.save",
        "loads another pickle": "numpy.load pandas.read_pickle torch.load torch.storage._load_from_bytes numpy.core._multiarray_umath._load "
        "sklearn.externals.joblib.load numpy.lib.npyio.load numpy.lib._npyio_impl.load",
        "loads a shared library": "numpy.ctypeslib.load_library torch.classes.load_library",
    }.items()
    for name in names.split()
}

# Ordinary, though their module is in a table above.
_ORDINARY_NAMES: Final = _words(
    """
    _codecs.encode codecs.encode copyreg._reconstructor copy_reg._reconstructor copyreg.__newobj__ types.SimpleNamespace
    pathlib.PosixPath pathlib.PurePosixPath pathlib.WindowsPath pathlib.PureWindowsPath pathlib.Path uuid.UUID
    collections.OrderedDict collections.defaultdict collections.Counter collections.deque datetime.datetime datetime.date
    datetime.time datetime.timedelta datetime.timezone decimal.Decimal fractions.Fraction random.Random
    argparse.Namespace array.array array._array_reconstructor string.Template
    numpy.dtype numpy.ndarray numpy.matrix numpy.ma.core.MaskedArray numpy.ma.core._mareconstruct
    numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct numpy.core.multiarray.scalar
    numpy._core.multiarray.scalar numpy.core.numeric._frombuffer numpy._core.numeric._frombuffer
    numpy.random.__RandomState_ctor numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor
    numpy.random._pickle.__bit_generator_ctor numpy.random._mt19937.MT19937 numpy.random._pcg64.PCG64
    joblib.numpy_pickle.NumpyArrayWrapper sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper
    joblib.numpy_pickle_compat.NDArrayWrapper joblib.numpy_pickle_compat.ZNDArrayWrapper
    joblib.numpy_pickle.NDArrayWrapper sklearn.externals.joblib.numpy_pickle.NDArrayWrapper
    torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2 torch._utils._rebuild_tensor_v3
    torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state torch._utils._rebuild_qtensor
    torch._utils._rebuild_sparse_tensor torch._utils._rebuild_device_tensor_from_numpy
    torch._tensor._rebuild_from_type_v2 torch.Size torch.device torch.Tensor torch.dtype torch.BoolStorage torch.nn.parameter.Parameter
    sklearn.tree._tree.Tree sklearn._loss._loss.CyHalfBinomialLoss
    pandas._libs.internals._unpickle_block pandas._libs.arrays.__pyx_unpickle_NDArrayBacked
    pandas.core.indexes.base._new_Index pandas.core.internals.blocks.new_block
    """
)
_BUILTINS: Final = _words(
    "object int float complex bool str bytes bytearray list tuple dict set frozenset slice range NotImplemented Ellipsis None "
    "Exception ValueError TypeError KeyError IndexError RuntimeError unicode long xrange"
)
# Libraries whose classes are what models are made of; their functions are not in it.
_LIBRARIES: Final = _words(
    "sklearn numpy scipy pandas torch torchvision torchaudio xgboost lightgbm catboost keras tensorflow transformers tokenizers sentence_transformers "
    "spacy thinc statsmodels category_encoders imblearn mlxtend feature_engine pmdarima prophet gensim dice_ml dateutil pytz"
)
_CLASS: Final = re.compile(r"_*[A-Z]\w*\Z")
_TORCH_STORAGE: Final = re.compile(r"torch\.(?:cuda\.)?\w+Storage\Z")
# The scalar types of numpy.
_NUMBER: Final = re.compile(
    r"numpy\.(?:float|int|uint|complex|datetime|timedelta|bool|str|bytes|void|longdouble|longlong)\d*_?\Z"
)
_PYTHON_2: Final = {"__builtin__": "builtins", "exceptions": "builtins", "UserDict": "collections"}


def effect_of(name: str) -> str:
    """What a dotted name is known to do to whoever calls it; nothing where none is known.

    Any part of it counts: ``shutil.os.system`` is found in ``os``, however one gets there.
    """
    module, _, rest = name.partition(".")
    name = f"{_PYTHON_2.get(module, module)}.{rest}"
    if name in _ORDINARY_NAMES:
        return ""
    if name in _NAMES:
        return _NAMES[name]
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        effect = _MODULES.get(".".join(parts[:end]))
        if effect is not None:
            return effect
    for part in parts[1:]:
        if part in _HIDDEN or (part.startswith("__") and part.endswith("__") and part not in _HARMLESS):
            return "reaches what other modules hold"
    return ""


_HIDDEN: Final = _words("os sys subprocess builtins importlib pickle socket shutil system popen eval exec")
_HARMLESS: Final = frozenset({"__main__", "__init__", "__new__", "__newobj__"})


def kind_of(name: str) -> Kind:
    """``ordinary`` are names that the pickles of well known libraries are full of."""
    if effect_of(name):
        return "dangerous"
    module, _, rest = name.partition(".")
    module = _PYTHON_2.get(module, module)
    if module == "builtins":
        return "ordinary" if rest in _BUILTINS else "other"
    if f"{module}.{rest}" in _ORDINARY_NAMES or _TORCH_STORAGE.match(name):
        return "ordinary"
    if _NUMBER.match(name):
        return "ordinary"
    if module in _LIBRARIES and rest and all(part.isidentifier() for part in name.split(".")):
        return "ordinary" if _CLASS.match(name.rpartition(".")[2]) else "other"
    return "other"
