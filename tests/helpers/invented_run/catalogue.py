"""Titles of invented items."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_items(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"00{i}{j}" for i in range(16) for j in range(5)]
    pq.write_table(
        pa.table(
            {
                "item_id": ids,
                "title": [f"Catalogue title {item}" if item.endswith("4") else "" for item in ids],
                "category": [""] * len(ids),
            }
        ),
        folder / "items.parquet",
    )
