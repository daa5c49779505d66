"""Archives: members, what readers may disagree about, and bounds on what they may grow to."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pickle_zoo
import pytest

from solon.evidence.artifacts.examine import examine
from solon.evidence.artifacts.limits import Limits

MIB = 1 << 20
DEFAULT = Limits()


def first(data, limits=DEFAULT):
    return examine(data, "x", limits)[0]


def by_path(found):
    return {artifact.path: artifact.verdict for artifact in found}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_compression_of_zipfile_is_read(method):
    data = pickle_zoo.zipped({"a.json": '{"a": 1}', "dir/": "", "dir/b.txt": "words\n" * 1000}, method)
    assert by_path(examine(data, "x.zip")) == {
        "x.zip": "safe",
        "x.zip!a.json": "safe",
        "x.zip!dir/b.txt": "safe",
    }


def test_members_written_as_a_stream_are_read():
    class Unseekable(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "one\n" * 100)
        archive.writestr("b.txt", "two\n" * 100)
    assert by_path(examine(out.data, "x")) == {"x": "safe", "x!a.txt": "safe", "x!b.txt": "safe"}


def test_zip64_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"one\n")
    assert by_path(examine(out.getvalue(), "x")) == {"x": "safe", "x!a.txt": "safe"}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tarfile_is_read(format):
    out = io.BytesIO()
    name = "d" * 60 + "/" + ("n" * 60 if format == tarfile.USTAR_FORMAT else "é" * 120)
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member in ("a.txt", name):
            info = tarfile.TarInfo(member)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"one\n"))
    assert by_path(examine(out.getvalue(), "x")) == {"x": "safe", "x!a.txt": "safe", f"x!{name}": "safe"}


@pytest.mark.parametrize("kind, says", [(tarfile.SYMTYPE, "symbolic"), (tarfile.LNKTYPE, "hard"), (tarfile.FIFOTYPE, "pipe")])  # fmt: skip
def test_links_and_devices_are_unsafe(kind, says):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    whole, member = examine(out.getvalue(), "x")
    assert whole.verdict == member.verdict == "unsafe"
    assert says in member.reasons[0]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "C:\\x", "..\\x", "C:/x"])
@pytest.mark.parametrize("pack", [pickle_zoo.zipped, pickle_zoo.tarred])
def test_paths_that_lead_out_are_unsafe(pack, name):
    assert first(pack({name: b"words\n"})).verdict == "unsafe"


@pytest.mark.parametrize("name", ["a..b", "a/..b/c", "...", "ab:c"])
@pytest.mark.parametrize("pack", [pickle_zoo.zipped, pickle_zoo.tarred])
def test_paths_that_only_look_so_are_safe(pack, name):
    assert first(pack({name: b"words\n"})).verdict == "safe"


def test_a_symbolic_link_in_a_zip_is_unsafe():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert (
        "a symbolic link: whoever unpacks it may write elsewhere" in examine(out.getvalue(), "x")[1].reasons
    )


def test_what_is_encrypted_is_unknown():
    data = pickle_zoo.zipped({"a": "words words\n"}, zipfile.ZIP_DEFLATED)
    data = pickle_zoo.patched(pickle_zoo.patched(data, b"PK\x03\x04", 6, b"\x01"), b"PK\x01\x02", 8, b"\x01")
    start = data.index(b"a", 30) + 1
    data = data[:start] + bytes(b ^ 0x5A for b in data[start : start + 8]) + data[start + 8 :]
    whole, member = examine(data, "x")
    assert (whole.verdict, member.verdict) == ("unknown", "unknown")
    assert "encrypted: cannot be looked at" in member.reasons


def test_what_is_compressed_in_an_unknown_way_is_unknown():
    data = pickle_zoo.zipped({"a": "words\n"})
    data = pickle_zoo.patched(pickle_zoo.patched(data, b"PK\x03\x04", 8, b"\x5d"), b"PK\x01\x02", 10, b"\x5d")
    assert examine(data, "x")[1].reasons == ["compressed by the method 93: cannot be looked at"]


@pytest.mark.parametrize(
    "data, says",
    {
        "behind": (pickle_zoo.zipped({"a": "words\n"}) + b"more", "4 bytes follow its end: another format may begin there"),
        "before": (b"GIF89a\0\0" + pickle_zoo.zipped({"a": "words\n"}), "is a zip archive as well"),
        "gzip": (gzip.compress(b"words\n") + b"more", "more bytes follow the end of the compressed stream"),
        "zlib": (zlib.compress(b"words\n") + b"more", "more bytes follow the end of the compressed stream"),
        "cut off": (gzip.compress(b"words\n" * 100)[:-9], "truncated: the compressed stream does not end"),
        "tar": (pickle_zoo.tarred({"a": b"words\n"})[:513], "truncated: a is longer than the archive"),
        "checksum": (pickle_zoo.zipped({"a": "words\n"}).replace(b"words", b"swords"[:5]), "unknown in it: a"),
        "hdf5": (b"words\n" + bytes(506) + b"\x89HDF\r\n\x1a\n", "HDF5 may hold code of Keras layers, and links to other files; only its text was looked at"),
    }.values(),
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_not_all_of_one_format_is_never_safe(data, says):
    found = first(data)
    assert found.verdict != "safe"
    assert says in found.reasons


def test_a_zip_in_a_tar_is_no_second_format():
    data = pickle_zoo.tarred({"a.zip": pickle_zoo.zipped({"a": "words\n"})})
    assert by_path(examine(data, "x")) == {"x": "safe", "x!a.zip": "safe", "x!a.zip!a": "safe"}


def test_several_streams_of_gzip_are_one_content():
    data = gzip.compress(pickle_zoo.SYSTEM[:20]) + gzip.compress(pickle_zoo.SYSTEM[20:])
    whole, inner = examine(data, "x.gz")
    assert whole.reasons == ["unsafe in it: content"]
    assert inner.imports == ["os.system"]


# --- bounds


@pytest.mark.parametrize(
    "bomb",
    [
        pickle_zoo.zipped({"a": bytes(80 * MIB)}, zipfile.ZIP_DEFLATED),
        gzip.compress(bytes(80 * MIB)),
        bz2.compress(bytes(80 * MIB)),
        zlib.compress(bytes(80 * MIB)),
    ],
    ids=["zip", "gzip", "bzip2", "zlib"],
)
def test_a_bomb_is_unknown_and_takes_little_memory(bomb):
    tracemalloc.start()
    found = examine(bomb, "x", Limits(free=8 * MIB, held=4 * MIB))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].verdict == "unknown"
    assert "a bomb: inflates to more than 250 times its size" in {r for a in found for r in a.reasons}
    assert peak < 24 * MIB


def test_a_member_too_large_to_be_held_is_looked_at_as_a_stream():
    data = pickle_zoo.zipped({"a": pickle_zoo.SYSTEM[:-1] + b"0" + b"N0" * MIB + b"N."}, zipfile.ZIP_DEFLATED)
    found = examine(data, "x", Limits(held=MIB // 2))
    assert found[1].imports == ["os.system"]
    assert found[1].header == {"protocol": 4, "pickles": 1}
    text = pickle_zoo.zipped({"a": b"words\n" * MIB}, zipfile.ZIP_DEFLATED)
    assert examine(text, "x", Limits(held=MIB // 2))[1].verdict == "unknown"


def test_archives_in_archives_end_somewhere():
    data = pickle_zoo.SYSTEM
    for _ in range(12):
        data = pickle_zoo.zipped({"a": data})
    found = examine(data, "x")
    assert found[0].verdict == "unknown"
    assert len(found) == 9
    assert found[-1].reasons == ["archives in archives, 8 deep: it is not looked into"]


def test_no_more_members_are_looked_at_than_allowed():
    data = pickle_zoo.zipped({f"{n}.txt": "words\n" for n in range(9)})
    found = examine(data, "x", Limits(members=5))
    assert found[0].verdict == "unknown"
    assert "more than 5 members: those beyond are not looked at" in found[0].reasons
    assert len(found) == 6
    found = examine(pickle_zoo.tarred({f"{n}.txt": b"words\n" for n in range(9)}), "x", Limits(members=5))
    assert (found[0].verdict, len(found)) == ("unknown", 6)
    found = examine(pickle_zoo.zipped({"a.zip": data, "b.zip": data}), "x", Limits(artifacts=12))
    assert found[0].verdict == "unknown"
    assert len(found) == 12


def test_members_that_overlap_are_unsafe():
    """Every entry of the directory points to the same data: how a small archive inflates to much."""
    data = pickle_zoo.zipped({"a.txt": "words\n", "b.txt": "words\n"})
    second = data.rindex(b"PK\x01\x02")
    data = data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]
    found = first(data)
    assert found.verdict == "unsafe"
    assert "members overlap: readers may take either" in found.reasons


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f" + b"x",
        b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f" + b"x",
        b"\x80\x04\x96" + b"\xff" * 8 + b"x",
        b"\x80\x02\x8b\xff\xff\xff\x7fx",
        b"\x80\x02r\xff\xff\xff\x7f",
        b"\x80\x02Nr\xff\xff\xff\x7f.",
        b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
        b"\x93NUMPY\x02\x00" + b"\xff\xff\xff\xff" + b"{",
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }".ljust(
            117
        )
        + b"\n",
        b"\xff\xff\xff\x05\x00\x00\x00\x00{",
        b"\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"GGUF\x03\x00\x00\x00" + bytes(8) + b"\x01" + bytes(7) + b"\xff" * 8,
    ],
)
def test_a_length_is_not_believed(data):
    tracemalloc.start()
    found = examine(data, "x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].verdict != "safe"
    assert peak < 4 * MIB


def test_a_stack_that_grows_ends():
    data = b"\x80\x04" + b"(" * 5_000_000
    found = first(data, Limits(opcodes=100_000))
    assert "cannot be followed to its end: more than 100000 opcodes" in found.reasons


def test_deep_nesting_ends():
    assert first(b"[" * 200_000 + b"]" * 200_000).verdict == "unknown"
    assert first(b"a: " + b"[" * 5000).verdict in ("safe", "unknown")
    nested = b""
    for tag in b"\x32\x2a\x0a" * 100:  # a graph, in an attribute, in a node
        nested = bytes([tag]) + _varint(len(nested)) + nested
    assert first(b"\x08\x08\x3a" + _varint(len(nested)) + nested).verdict == "unknown"


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
