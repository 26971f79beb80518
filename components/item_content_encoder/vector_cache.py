"""Vectors of texts that were encoded before, on disk, found by the text's content."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np
from absl import logging
from tfx.dsl.io import fileio

from trainer.uri_files import read_bytes, write_bytes

_SUFFIX = ".npz"
_KEY_BYTES = 16


def text_key(text: str) -> bytes:
    """Identifies a text by its content, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest()


class VectorCache:
    """A folder of files that each hold some keys and their vectors.

    A file is written whole and then named, so that an interruption leaves the ones before it. Each
    has checksums (it is a zip archive); one that does not read back is removed, as if its texts had
    never been encoded.

    Args:
        folder: everything that decides a vector beside the text must be in this name. Made when
            missing; may be a URI.
        dim: width of the vectors.
    """

    def __init__(self, folder: str, dim: int) -> None:
        self._folder = folder.rstrip("/")
        self._dim = dim

    def read(self, keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Looks texts up.

        Args:
            keys: `text_key` of each, all different.

        Returns:
            float32 [keys, dim], zeros where unknown; bool [keys], whether it is known.
        """
        vectors = np.zeros((len(keys), self._dim), dtype=np.float32)
        known = np.zeros(len(keys), dtype=np.bool_)
        rows = {key: row for row, key in enumerate(keys)}
        for path in sorted(fileio.glob(f"{self._folder}/*{_SUFFIX}")):
            stored = self._read_file(path)
            if stored is None:
                continue
            for key, vector in zip(*stored, strict=True):
                row = rows.get(key.tobytes())
                if row is not None:
                    vectors[row], known[row] = vector, True
        return vectors, known

    def add(self, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        """Keeps vectors, float32 [keys, dim]."""
        buffer = io.BytesIO()
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        np.savez(buffer, keys=table, vectors=vectors.astype(np.float32))
        name = f"{self._folder}/{uuid.uuid4().hex}"
        write_bytes(f"{name}.unfinished", buffer.getvalue())
        fileio.rename(f"{name}.unfinished", f"{name}{_SUFFIX}")

    def _read_file(self, path: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Keys, uint8 [n, 16], and vectors, float32 [n, dim]; None if the file is not sound."""
        try:
            archive = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
            keys, vectors = archive["keys"], archive["vectors"]
            sound = (
                keys.shape == (len(vectors), _KEY_BYTES)
                and vectors.shape[1:] == (self._dim,)
                and bool(np.isfinite(vectors).all())
            )
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            logging.warning("ItemContentEncoder: %s is damaged: %s", path, error)
            sound = False
        if not sound:
            logging.warning("ItemContentEncoder: removing %s; its texts are encoded again", path)
            fileio.remove(path)
            return None
        return keys, vectors
