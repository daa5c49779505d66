"""Formats that say themselves what they are, by the bytes at a fixed place."""

from __future__ import annotations

from typing import Final

from solon.evidence.artifacts.result import Verdict

# Read by Solon: what begins so is that format.
READ: Final = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"GGUF", "gguf"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
)

# Known, and not looked into: the offset and the bytes, the format, the verdict and why.
KNOWN: Final[tuple[tuple[int, bytes, str, Verdict, str], ...]] = (
    (0, b"\x7fELF", "elf", "unsafe", "a program or shared library"),
    (0, b"MZ", "pe", "unsafe", "a program or shared library"),
    (0, b"\xcf\xfa\xed\xfe", "mach-o", "unsafe", "a program or shared library"),
    (0, b"\xce\xfa\xed\xfe", "mach-o", "unsafe", "a program or shared library"),
    (0, b"\xca\xfe\xba\xbe", "mach-o or java class", "unsafe", "a program"),
    (0, b"\x00asm", "wasm", "unsafe", "a program in WebAssembly"),
    (0, b"!<arch>\n", "ar", "unsafe", "a library of compiled code"),
    (0, b"dex\n", "dex", "unsafe", "a program for Android"),
    (
        0,
        b"\xac\xed\x00\x05",
        "java serialisation",
        "unsafe",
        "whoever reads it makes the objects that it names",
    ),
    (0, b"RDX2\n", "r data", "unsafe", "whoever loads it may run code of R"),
    (0, b"RDX3\n", "r data", "unsafe", "whoever loads it may run code of R"),
    (0, b"X\n\x00\x00\x00", "r data", "unsafe", "whoever loads it may run code of R"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "unknown", "an archive that is not looked into"),
    (0, b"Rar!\x1a\x07", "rar", "unknown", "an archive that is not looked into"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "unknown", "compressed in a way that is not looked into"),
    (0, b"\x04\x22\x4d\x18", "lz4", "unknown", "compressed in a way that is not looked into"),
    (0, b"ZF0x", "joblib-zfile", "unsafe", "an array or pickle that old versions of joblib compressed"),
    (4, b"TFL3", "tflite", "unknown", "TensorFlow Lite is not looked into: it may need operators of its own"),
    (0, b"CBM1", "catboost", "unknown", "a model of CatBoost, which is not looked into"),
    (0, b"binf", "xgboost-binary", "unknown", "the old binary format of XGBoost, which is not looked into"),
    (0, b"SQLite format 3\x00", "sqlite", "unknown", "a database, which is not looked into"),
    (0, b"%PDF-", "pdf", "unknown", "a document that may have scripts"),
    (0, b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner", "xgboost-ubj", "safe", ""),
    (0, b"PAR1", "parquet", "safe", ""),
    (0, b"ARROW1\x00\x00", "arrow", "safe", ""),
    (0, b"FEA1", "feather", "safe", ""),
    (0, b"\x89PNG\r\n\x1a\n", "png", "safe", ""),
    (0, b"\xff\xd8\xff", "jpeg", "safe", ""),
    (0, b"GIF87a", "gif", "safe", ""),
    (0, b"GIF89a", "gif", "safe", ""),
    (8, b"WEBP", "webp", "safe", ""),
)

# The last two bytes of the header of compiled Python; two others stand before them.
PYC: Final = b"\r\n"
# HDF5 may have other bytes before it: these many, or a power of two times as many.
HDF5_OFFSETS: Final = tuple(512 << n for n in range(8))


def known(head: bytes) -> tuple[str, Verdict, str] | None:
    for offset, magic, name, verdict, why in KNOWN:
        if head[offset : offset + len(magic)] == magic:
            return name, verdict, why
    if head[2:4] == PYC and head[:2] >= b"\x03" and 0x0A <= head[1] <= 0x10 and head[4:8] in _PYC_FLAGS:
        return "pyc", "unsafe", "compiled Python: whoever imports it runs it"
    return None


_PYC_FLAGS: Final = (b"\0\0\0\0", b"\1\0\0\0", b"\3\0\0\0")
