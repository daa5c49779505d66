"""HDF5, as far as it says what Keras would run: the text of a model's configuration is looked for, and no more.

A file of numbers alone cannot be told from one that keeps its text where it is not found, so it is unknown at best.
"""

from __future__ import annotations

from typing import Final

from solon.evidence.artifacts.source import Source
from solon.evidence.artifacts.texts import keras
from solon.evidence.artifacts.told import Told

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_OVERLAP: Final = 4096
_MOST: Final = 4 << 30


def read(source: Source) -> Told:
    """Raises TooMuch where the stream is one that inflates too far."""
    told = Told("hdf5")
    stream = source.stream()
    tail, configured = b"", False
    for piece in stream.chunks(_MOST):
        data = tail + piece
        configured = configured or b"model_config" in data
        for danger in keras.dangers_in_text(data):
            told.unsafe(danger)
        tail = data[-_OVERLAP:]
    told.bytes = source.size if source.size is not None else stream.position
    if stream.need(1):
        told.unknown(f"larger than {_MOST >> 30} GiB: the rest is not looked at")
    if configured:
        told.header["model_config"] = True
    return told.unknown(
        "HDF5 may hold code of Keras layers, and links to other files; only its text was looked at"
    )
