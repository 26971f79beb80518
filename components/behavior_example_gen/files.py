"""Opening files, local or remote, as real file objects (TFX's own lack what pyarrow needs)."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast


def open_reading(path: str) -> IO[bytes]:
    """Opens a file for reading bytes as they are."""
    if "://" not in path:
        return Path(path).open("rb")
    # Beam takes seconds to import, and a file on this machine does not need it.
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    return cast(IO[bytes], FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def open_writing(path: str) -> IO[bytes]:
    """Opens a file for writing bytes as they are; its folder must exist."""
    if "://" not in path:
        return Path(path).open("wb")
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    return cast(IO[bytes], FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED))
