"""Events of one instant: drawn order, whatever the order of the file, and what the file's shows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from components.behavior_example_gen.cleaning import tie_order
from components.behavior_example_gen.quality_record import TieOrder
from components.behavior_example_gen.steps import beam_pipeline, instants
from tests.helpers.behavior_example_gen_runs import ingest, table
from trainer.raw_history import SPLITS

HEADER = "user_id,item_id,timestamp,action,price,quantity"
START = 1_600_000_000


def _baskets(seed: int, users: int = 30, days: int = 12) -> list[list[Any]]:
    """Receipts with ties of every kind: equal items at two prices, duplicates, returns."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for day in range(days):
            time = START + day * 86_400 + user % 3
            for _ in range(rng.integers(1, 5)):
                item, action = rng.integers(12), rng.choice(["view", "purchase"])
                row = [f"u{user}", f"i{item}", time, action, int(rng.integers(1, 3)), 1]
                rows += [row] * int(rng.integers(1, 3))
                if rng.random() < 0.2:
                    rows.append([*row[:2], time + int(rng.integers(2)) * 100_000, *row[3:5], -1])
    return rows


def _examples(folder: Path, rows: list[list[Any]], **settings: Any) -> Any:
    folder.mkdir()
    result = ingest(folder, table(rows, HEADER), min_item_events=1, **settings)
    files = sorted(path.name for path in result.folder.glob("examples/1/*/*"))
    dropped = result.quality["dropped"]
    return files, {split: result.splits[split] for split in SPLITS}, dropped, result.items.rows()


@pytest.mark.slow
@pytest.mark.parametrize("split", ["temporal", "leave_one_out"])
def test_a_shuffled_file_gives_the_same_examples(
    split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beam_pipeline, "_EVENTS_PER_PARTITION", 400)
    monkeypatch.setattr(beam_pipeline, "_TIMES_SAMPLED", 300)
    rows = _baskets(0)
    first = _examples(tmp_path / "first", rows, split=split)
    assert len(first[0]) > 3
    assert first[2]["cancelled_purchase"]
    assert first[2]["duplicate"]
    assert any(len(h["target_item_ids"]) > 2 for h in first[1]["test"])
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        assert _examples(tmp_path / f"{seed}", rows, split=split) == first
    other = _examples(tmp_path / "other", rows, split=split, seed=2)
    assert other != first
    # Only the order inside instants is another one.
    for name in SPLITS:
        for one, two in zip(first[1][name], other[1][name], strict=True):
            assert one["timestamps"] == two["timestamps"]
            assert sorted(one["target_item_ids"]) == sorted(two["target_item_ids"])


@pytest.mark.slow
def test_the_order_of_the_log_can_be_kept(tmp_path: Path) -> None:
    rows = _baskets(1)
    rows = [[*row[:5], 1] for row in rows]
    kept = _examples(tmp_path / "kept", rows, tie_order="log")
    assert kept == _examples(tmp_path / "again", rows, tie_order="log", seed=5)
    rows.reverse()
    assert kept[1] != _examples(tmp_path / "back", rows, tie_order="log")[1]


@pytest.mark.slow
def test_an_order_by_id_is_told(tmp_path: Path) -> None:
    rows = [[*row[:5], 1] for row in _baskets(2)]
    random.Random(0).shuffle(rows)
    (tmp_path / "mixed").mkdir()
    mixed = ingest(tmp_path / "mixed", table(rows, HEADER), min_item_events=1).quality
    assert mixed["tie_order"]["rule"] == "drawn"
    assert mixed["tie_order"]["neighbours"] > 400
    assert abs(mixed["tie_order"]["ascending"]["item_id"] - 0.5) < 0.1
    assert not any("tie_order" in note for note in mixed["notes"])
    rows.sort(key=lambda row: row[1])
    ordered = ingest(tmp_path, table(rows, HEADER), min_item_events=1, tie_order="log").quality
    assert ordered["tie_order"]["ascending"] == {"item_id": 1.0}
    [note] = [note for note in ordered["notes"] if note.startswith("tie_order")]
    assert "item ids ascend in 100%" in note
    assert "data.tie_order=log keeps it" in note


def test_the_directions_of_neighbours_are_counted() -> None:
    events = pl.DataFrame(
        {
            "user_id": ["a"] * 6 + ["b"] * 2,
            "item_id": ["9", "10", "10", "8", "7", "70", "1", "2"],
            "title": ["", "", "", "", "", "", "y", "x"],
        }
    )
    users = np.array([0] * 6 + [1] * 2)
    same = tie_order.tied(users, np.array([1, 1, 1, 2, 3, 3, 3, 3]))
    assert same.tolist() == [False, True, True, False, False, True, False, True]
    titles = pl.DataFrame({"item_id": ["9", "10"], "title": ["a", "b"]})
    assert tie_order.count_directions(events, same, titles) == {
        "item_id": {"ascending": 2, "descending": 1},
        "item_number": {"ascending": 3, "descending": 0},
        "title": {"ascending": 1, "descending": 1},
    }
    words = events.with_columns(item_id=pl.col("item_id") + "x").drop("title")
    assert tie_order.count_directions(words, same, None).keys() == {"item_id"}
    assert tie_order.count_directions(events, np.zeros(8, bool), None) == {}


def test_hashes_are_the_same_everywhere() -> None:
    """Figures of two machines would differ otherwise: these numbers must never change."""
    frame = pl.DataFrame(
        {"text": ["a", "b", "é"], "number": [1, 2, -3], "amount": [0.5, -0.0, 2.0]},
        schema_overrides={"amount": pl.Float32},
    )
    hashes = tie_order.event_hashes(frame, 1)
    assert hashes.tolist() == [4479088666010702921, 13193935611675683743, 18251246079366096862]
    assert (tie_order.event_hashes(frame[::-1], 1) == hashes[::-1]).all()
    assert (tie_order.event_hashes(frame, 2) != hashes).all()


def test_drawn_orders_are_all_as_frequent() -> None:
    """Every item of an instant is as often the first one."""
    users = np.repeat(np.arange(6000), 3)
    events = pl.DataFrame({"user": users, "item_id": ["a", "b", "c"] * 6000})
    same = tie_order.tied(users, np.zeros_like(users))
    drawn = tie_order.drawn_order(events, same, 1, ["user", "item_id"])
    assert (drawn["user"].to_numpy() == users).all()
    orders = drawn.group_by("user").agg(pl.col("item_id").str.join())["item_id"].value_counts()
    assert orders.height == 6
    assert abs(orders["count"].cast(int).to_numpy() - 1000).max() < 130  # 4.5 standard deviations


def test_a_warning_needs_more_than_chance() -> None:
    def told(neighbours: int, **ascending: float) -> bool:
        ties = TieOrder(rule="log", neighbours=neighbours, ascending=ascending)
        return bool(instants.notes({}, ties))

    assert not told(0)
    assert not told(20, item_id=0.9)
    assert told(2000, item_id=0.45, title=0.2)
    assert not told(1_000_000, item_id=0.55)
