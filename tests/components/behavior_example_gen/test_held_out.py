"""What is held out: nothing is dropped, nothing is known too early, and the counts say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from components.behavior_example_gen.steps import instants
from components.behavior_example_gen.steps.plan import iso
from components.behavior_example_gen.steps.reports import PartitionReport
from tests.helpers.behavior_example_gen_runs import Ingested, ingest, table
from tests.helpers.repository import SHARED_DATA

pytestmark = pytest.mark.slow

DAY = 86_400
START = 1_600_000_000 // DAY * DAY
real = pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the data beside the checkout")


def _independent_counts(
    log: pl.DataFrame, quality: dict[str, Any], min_items: int = 5, min_users: int = 2
) -> dict[str, dict[str, float]]:
    """The held-out items, counted anew from a log of user, item, time (epoch seconds)."""
    bounds = [quality["split"][name] for name in ("validation_cut", "test_cut")]
    starts = [int(pl.Series([text]).str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s")[0])
              for text in bounds]  # fmt: skip
    training = log.filter(pl.col("time") < starts[0])
    often = training.filter(pl.len().over("item") >= min_items)
    vocabulary = often.filter(pl.len().over("user") >= min_users)["item"].unique()
    result = {}
    for split, start, end in zip(("validation", "test"), starts, [starts[1], 1 << 40], strict=True):
        window = log.filter(pl.col("time").is_between(start, end, closed="left"))
        first = window.filter(pl.col("time") == pl.col("time").min().over("user"))
        known = log.filter(pl.col("time") < start)["user"].unique()
        first = first.filter(pl.col("user").is_in(known.implode())).unique(["user", "item"])
        sizes = first.group_by("user").len()["len"]
        result[split] = {
            "users": len(sizes),
            "items": first.height,
            "unknown_items": first.height - int(first["item"].is_in(vocabulary.implode()).sum()),
            "several_items": float((sizes > 1).mean()),
            "median_items": float(sizes.median()),
        }
    return result


def _as_counted(result: Ingested) -> dict[str, dict[str, float]]:
    """The same from the Examples."""
    vocabulary = {item for h in result.splits["train"] for item in h["item_ids"]}
    counts = {}
    for split in ("validation", "test"):
        baskets = [set(h["target_item_ids"]) for h in result.splits[split]]
        counts[split] = {
            "users": len(baskets),
            "items": sum(map(len, baskets)),
            "unknown_items": sum(len(basket - vocabulary) for basket in baskets),
            "several_items": sum(len(basket) > 1 for basket in baskets) / len(baskets),
            "median_items": float(np.median([len(basket) for basket in baskets])),
        }
    return counts


def test_the_new_item_is_the_target_and_not_the_one_after_it(tmp_path: Path) -> None:
    """Half of the users take an item next that training never saw, and an old one a day later."""
    rng = np.random.default_rng(1)
    rows = []
    for user in range(60):
        rows += [[f"u{user}", f"old{rng.integers(20)}", START + day * DAY + user]
                 for day in range(8)]  # fmt: skip
        new = f"NEW{user % 5}" if user % 2 == 0 else "old1"
        rows += [[f"u{user}", new, START + 9 * DAY + user]]
        rows += [[f"u{user}", "old2", START + 10 * DAY + user]]
    result = ingest(
        tmp_path, table(rows), min_item_events=1, validation_quantile=0.7, test_quantile=0.8
    )
    targets = [tuple(h["target_item_ids"]) for h in result.splits["test"]]
    assert len(targets) == 60
    assert sum(target[0].startswith("NEW") for target in targets) == 30
    assert ("old2",) not in targets
    assert result.quality["held_out"]["test"]["unknown_items"] == 30
    assert result.quality["dropped"] == {}
    assert any("test: 30 of the 60 items" in note for note in result.quality["notes"])
    # What only held-out events say of an item does not reach the catalogue.
    assert not any(item.startswith("NEW") for item in result.items["item_id"])
    assert result.quality["items"] == result.quality["trained_items"] + 5


@pytest.mark.parametrize("min_user_events", [2, 4])
def test_the_counts_are_those_of_the_raw_log(min_user_events: int, tmp_path: Path) -> None:
    """On a log with many rare items, occasional users and receipts."""
    rng = np.random.default_rng(5)
    rows = {
        (f"u{int(rng.exponential(40))}", f"i{int(rng.exponential(60))}", START + int(time) * 3600)
        for time in rng.integers(0, 300, 3000)
    }
    result = ingest(
        tmp_path, table([list(row) for row in sorted(rows)]), min_user_events=min_user_events
    )
    quality = result.quality
    log = pl.DataFrame(sorted(rows), schema=["user", "item", "time"], orient="row")
    assert quality["held_out"] == _as_counted(result)
    assert quality["held_out"] == _independent_counts(log, quality, 5, min_user_events)
    assert quality["held_out"]["test"]["unknown_items"] > 10
    assert quality["rows_read"] == quality["events_kept"] + sum(quality["dropped"].values())
    # Training holds only what it can learn from.
    training = log.filter(pl.col("time") < int(_epoch(quality["split"]["validation_cut"]))).filter(
        pl.len().over("item") >= 5
    )
    expected = training.filter(pl.len().over("user") >= min_user_events)
    assert sum(len(h["item_ids"]) for h in result.splits["train"]) == expected.height
    # Histories that are judged hold everything, as requests do.
    for history in result.splits["test"]:
        mine = log.filter(
            (pl.col("user") == history["user_id"][0])
            & (pl.col("time") < _epoch(quality["split"]["test_cut"]))
        )
        assert sorted(history["item_ids"]) == sorted(mine["item"])


def test_who_is_held_out_is_not_decided_by_what_is_held_out(tmp_path: Path) -> None:
    """A user of one training event is not trained on, whether or not there are later events."""
    rows = [[f"u{n % 7}", f"i{n % 3}", START + n * 3600] for n in range(200)]
    rows += [["once", "i1", START], ["back", "i1", START], ["back", "i2", START + 199 * 3600]]
    result = ingest(tmp_path, table(rows))
    assert result.history("train", "once") is None
    assert result.history("train", "back") is None
    back = result.history("test", "back")
    assert back is not None
    assert (back["item_ids"], back["target_item_ids"]) == (["i1"], ["i2"])
    assert result.quality["dropped"] == {"rare_user": 1}
    assert result.quality["left_out_of_training"] == {"rare_user": 1}


def test_a_return_after_the_cut_changes_no_history_before_it(tmp_path: Path) -> None:
    """Train and validation know the log of the first cut, test that of the second."""
    header = "user_id,item_id,timestamp,quantity"
    rows = [[f"u{n % 5}", f"i{n % 3}", START + n * 3600, 1] for n in range(200)]
    returned_at = {10: 150, 20: 175, 30: 190, 165: 167}  # hours; the cuts are at 161 and 181
    events = [(hour, hour) for hour in (*returned_at, 166, 195)]
    events += [(back, -hour) for hour, back in returned_at.items()]
    rows += [["u", f"i{abs(what) % 3}", START + hour * 3600, what + 1 if what > 0 else what - 1]
             for hour, what in events]  # fmt: skip
    result = ingest(tmp_path, table(rows, header), min_item_events=1)
    cuts = result.quality["split"]
    assert iso(START + 155 * 3600) < cuts["validation_cut"] < iso(START + 165 * 3600)
    assert iso(START + 176 * 3600) < cuts["test_cut"] < iso(START + 189 * 3600)
    assert result.quality["dropped"]["cancelled_purchase"] == 4
    found = {}
    for split in ("train", "validation", "test"):
        history = result.history(split, "u")
        assert history is not None
        hours = [(time - START) // 3600 for time in history["timestamps"]]
        found[split] = (hours, history["target_item_ids"])
    assert found == {
        "train": ([20, 30], []),
        "validation": ([20, 30], ["i1"]),  # of hour 166: that of 165 is returned
        "test": ([30, 166], ["i0"]),
    }


def test_leave_one_out_of_a_log_with_times_holds_out_receipts(tmp_path: Path) -> None:
    rows = [["u", item, START + time] for item, time in zip("ABCDXYZ", [1, 2, 2, 5, 9, 9, 9],
                                                            strict=True)]  # fmt: skip
    rows += [["v", item, START + time] for item, time in zip("ABCDE", range(5), strict=True)]
    rows += [["w", item, START] for item in "ABCDE"]
    result = ingest(tmp_path, table(rows), min_item_events=1, split="leave_one_out")
    found = {
        split: {
            h["user_id"][0]: ("".join(sorted(h["item_ids"])), "".join(sorted(h["target_item_ids"])))
            for h in result.splits[split]
        }
        for split in ("train", "validation", "test")
    }
    assert found == {
        "train": {"u": ("ABC", ""), "v": ("ABC", ""), "w": ("ABCDE", "")},
        "validation": {"u": ("ABC", "D"), "v": ("ABC", "D")},
        "test": {"u": ("ABCD", "XYZ"), "v": ("ABCD", "E")},
    }
    assert result.quality["held_out"]["test"] == {
        "users": 2, "items": 4, "unknown_items": 3, "several_items": 0.5, "median_items": 2.0,
    }  # fmt: skip


def test_midnights_are_told_from_times() -> None:
    def days(*times: int) -> bool:
        return instants.times_are_days([PartitionReport(times_of_day=[t]) for t in times])

    assert days(0)
    assert days(79_200, 82_800)  # Berlin in summer and in winter
    assert not days(0, 7200)
    assert not days(1, 2, 3)


@real
def test_rees46_counts_are_those_of_the_raw_log(tmp_path: Path) -> None:
    path = SHARED_DATA / "rees46/events.csv"
    result = ingest(tmp_path, path)
    lines = path.read_text().splitlines()
    assert lines.pop().count(",") < 8  # cut off
    raw = pl.read_csv("\n".join(lines).encode(), infer_schema=False)
    log = raw.unique().select(
        user="user_id", item="product_id",
        time=pl.col("event_time").str.to_datetime("%Y-%m-%d %H:%M:%S UTC").dt.epoch("s"),
    )  # fmt: skip
    counts = _independent_counts(log, result.quality)
    assert result.quality["held_out"] == counts == _as_counted(result)
    assert counts["test"]["users"] > 300


@real
def test_the_shops_orders_inside_receipts_are_told(tmp_path: Path) -> None:
    """The departments' rows of a day have no order, and their times are days."""
    result = ingest(
        tmp_path,
        SHARED_DATA / "departments/events.parquet",
        SHARED_DATA / "departments/items.parquet",
    )
    ties = result.quality["tie_order"]
    assert ties["neighbours"] > 100_000
    assert all(abs(share - 0.5) < 0.02 for share in ties["ascending"].values())
    assert "title" in ties["ascending"]
    assert result.quality["times_are_days"]
    assert not any(note.startswith("tie_order") for note in result.quality["notes"])


def _epoch(text: str) -> int:
    return int(pl.Series([text]).str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s")[0])
