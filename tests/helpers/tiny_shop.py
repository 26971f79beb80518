"""A tiny shop: raw histories on disk and the Transform graph over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow_transform as tft

from tests.helpers.raw_histories import DAY, raw_history, transform_graph, write_records


class TinyShop(NamedTuple):
    train: list[str]
    validation: list[str]
    graph: Any
    graph_dir: str
    raw: list[bytes]  # the validation histories


def make_tiny_shop(directory: Path) -> None:
    """60 users of 12 events over 20 items; each user walks around one of two circles of items,
    and buys every third item again."""
    train, validation = _histories()
    write_records(directory / "validation.gz", validation)
    transform_graph(directory, write_records(directory / "train.gz", train))


def open_tiny_shop(directory: Path) -> TinyShop:
    """What `make_tiny_shop` made."""
    graph_dir = str(directory / "graph")
    return TinyShop(
        train=[str(directory / "train.gz")],
        validation=[str(directory / "validation.gz")],
        graph=tft.TFTransformOutput(graph_dir),
        graph_dir=graph_dir,
        raw=_histories()[1],
    )


def _histories() -> tuple[list[bytes], list[bytes]]:
    """Raw histories of the training and the validation split."""
    rng = np.random.default_rng(0)
    train, validation = [], []
    for user in range(60):
        group, at = user % 2, int(rng.integers(10))
        items: list[int] = []
        for step in range(13):
            if step % 3 == 2:
                items.append(items[-1])
            else:
                at = (at + 1) % 10
                items.append(group * 10 + at)
        times = (np.arange(13) * DAY + user * 60).tolist()
        common = {
            "user_id": [f"u{user}"],
            "history_length": ["10-19"],
        }
        ids = [f"item,{i:03d}" for i in items]
        columns = {
            "item_ids": ids[:12],
            "actions": ["buy" if i % 4 else "view" for i in range(12)],
            "timestamps": times[:12],
            "prices": [float(1 + i) for i in items[:12]],
            "quantities": [1.0] * 12,
            "categories": [f"c{i % 3}" for i in items[:12]],
        }
        train.append(raw_history(**common, **columns, first_target=[0]))
        validation.append(
            raw_history(**common, **columns, first_target=[12], target_item_ids=[ids[12]])
        )
    return train, validation
