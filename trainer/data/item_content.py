"""Item texts as vectors: what `ItemContentEncoder` hands to `Trainer.encoder` through `base_model`.

A folder of three files:

- `items.parquet`: `item_id` (string) and `has_vector` (bool), a row for every item of the
  catalogue, also for those that no event names, so that they can be recommended;
- `vectors.npy`: float32 [rows with has_vector, dim], in the order of those rows, of length one;
- `content.json`: `format`, `dim`, counts, what the vectors were made with, and the reason when
  there is none.

It is there and can be loaded even when nothing was encoded: then `dim` is 0.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf

from trainer.uri_files import (
    read_bytes,
    read_json,
    read_parquet,
    write_bytes,
    write_json,
    write_parquet,
)

FORMAT = 1
CONTENT_FILE = "content.json"
ITEMS_FILE = "items.parquet"
VECTORS_FILE = "vectors.npy"


@dataclasses.dataclass(frozen=True)
class ItemContent:
    """The catalogue, and a vector for every item that has a text.

    Attributes:
        item_ids: every item of the catalogue, UTF-8, in its order, each once.
        has_vector: bool [items].
        vectors: float32 [has_vector.sum(), dim], in the order of the items that have one.
        source: what the vectors were made with (plain JSON values: `weights`, `fingerprint`,
            `max_tokens`, `texts`); empty when nothing was encoded.
        reason: why there is no vector at all; empty when there are some.
    """

    item_ids: list[bytes]
    has_vector: np.ndarray
    vectors: np.ndarray
    source: dict[str, Any] = dataclasses.field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        """Checks that the parts belong together.

        Raises:
            ValueError: lengths or types differ from what the class says.
        """
        expected = (int(np.sum(self.has_vector)), self.dim)
        if self.has_vector.shape != (len(self.item_ids),) or self.has_vector.dtype != np.bool_:
            raise ValueError(
                f"{len(self.item_ids)} items need a bool each that says whether there is a vector, "
                f"not {self.has_vector.dtype} {self.has_vector.shape}"
            )
        if self.vectors.shape != expected or self.vectors.dtype != np.float32:
            raise ValueError(
                f"{expected[0]} items have a vector, but the vectors are "
                f"{self.vectors.dtype} {self.vectors.shape}"
            )

    @classmethod
    def empty(cls, item_ids: Sequence[bytes], reason: str) -> ItemContent:
        """A catalogue without any vector."""
        return cls(
            list(item_ids),
            np.zeros(len(item_ids), dtype=np.bool_),
            np.zeros((0, 0), dtype=np.float32),
            reason=reason,
        )

    @property
    def dim(self) -> int:
        """Width of the vectors; 0 when there is none."""
        return int(self.vectors.shape[-1])

    def lookup(self, item_ids: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """The vectors of given items, for tables in another order than the catalogue's.

        Args:
            item_ids: any ids; unknown ones are like items without a text.

        Returns:
            float32 [len(item_ids), dim], zeros where there is no vector; bool [len(item_ids)],
            whether there is one.
        """
        rows = np.cumsum(self.has_vector) - 1
        known = {
            item: row
            for item, row, has in zip(self.item_ids, rows, self.has_vector, strict=True)
            if has
        }
        found = np.array([known.get(item, -1) for item in item_ids], dtype=np.int64)
        vectors = np.zeros((len(item_ids), self.dim), dtype=np.float32)
        vectors[found >= 0] = self.vectors[found[found >= 0]]
        return vectors, found >= 0

    def save(self, directory: str) -> None:
        """Writes the three files; the folder is made when missing."""
        tf.io.gfile.makedirs(directory)
        items = pl.DataFrame(
            {
                "item_id": pl.Series([item.decode() for item in self.item_ids], dtype=pl.String),
                "has_vector": pl.Series(self.has_vector, dtype=pl.Boolean),
            }
        )
        write_parquet(f"{directory}/{ITEMS_FILE}", items)
        buffer = io.BytesIO()
        np.save(buffer, self.vectors, allow_pickle=False)
        write_bytes(f"{directory}/{VECTORS_FILE}", buffer.getvalue())
        description = {
            "format": FORMAT,
            "items": len(self.item_ids),
            "with_vector": len(self.vectors),
            "dim": self.dim,
            "source": self.source,
            "reason": self.reason,
        }
        write_json(f"{directory}/{CONTENT_FILE}", description)

    @classmethod
    def load(cls, directory: str) -> ItemContent:
        """Reads what `save` wrote.

        Raises:
            ValueError: the folder was written by another version, or its files disagree.
            tf.errors.NotFoundError: it does not hold the files.
        """
        description = read_json(f"{directory}/{CONTENT_FILE}")
        if description.get("format") != FORMAT:
            raise ValueError(
                f"{directory}/{CONTENT_FILE} has format {description.get('format')!r}, "
                f"this version reads {FORMAT}"
            )
        items = read_parquet(f"{directory}/{ITEMS_FILE}")
        return cls(
            items["item_id"].cast(pl.Binary).to_list(),
            items["has_vector"].to_numpy(),
            np.load(io.BytesIO(read_bytes(f"{directory}/{VECTORS_FILE}")), allow_pickle=False),
            description["source"],
            description["reason"],
        )
