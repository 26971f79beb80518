"""A log as one cleaned table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.sources import event_sources
from components.behavior_example_gen.steps.whole_log import WholeLog, read_whole_log
from trainer.errors import DataError

DAY = 1_600_041_600  # a midnight
HEADER = "user_id,item_id,timestamp,price,quantity"


def _read(folder: Path, *files: list[str], **settings: Any) -> WholeLog:
    paths = []
    for number, rows in enumerate(files):
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text("\n".join([HEADER, *rows]) + "\n")
    config = DataConfig.from_dict({"tie_order": "log", **settings})
    return read_whole_log(event_sources(list(map(str, paths)), config), config, str(folder))


def test_files_are_read_cleaned_and_sorted_as_in_the_pipeline(tmp_path: Path) -> None:
    log = _read(
        tmp_path,
        [
            f"v,late,{DAY + 86_400},1,1",
            f"u,b,{DAY},1,1",
            f"u,b,{DAY},1,1",  # a duplicate
            f"u,b,{DAY},2,1",  # another price is another event
            f"NULL,b,{DAY},1,1",
            f"u,returned,{DAY},1,1",
        ],
        [f"u,a,{DAY},1,1", f"u,returned,{DAY + 86_400},1,-1", f"v,early,{DAY},1,1"],
        max_bad_fraction=0.5,
    )
    assert log.events.select("user_id", "item_id").rows() == [
        *(("u", "b"), ("u", "b"), ("u", "a")),
        *(("v", "early"), ("v", "late")),
    ]
    assert log.dropped == {
        "missing_user_id": 1,
        "duplicate": 1,
        "cancellation": 1,
        "cancelled_purchase": 1,
    }
    assert log.times_are_days
    # b before returned, returned before a.
    assert log.tie_order.neighbours == 2
    assert log.tie_order.ascending["item_id"] == 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv", "quarantine.csv"]
    assert "missing_user_id" in (tmp_path / "quarantine.csv").read_text()


def test_too_many_bad_rows_stop_and_say_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"50.00% of the 2 rows") as refused:
        _read(tmp_path, [f"u,a,{DAY},1,1", "u,b,yesterday,1,1"])
    assert str(tmp_path / "quarantine.csv") in str(refused.value)
    assert not (tmp_path / "scratch").exists()


def test_a_log_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no events are left after cleaning. Dropped: dropped_item"):
        _read(tmp_path, [f"u,a,{DAY},1,1"], drop_items=["a"])


def test_what_a_killed_process_left_is_not_read(tmp_path: Path) -> None:
    left = tmp_path / "scratch" / "quarantine"
    left.mkdir(parents=True)
    (left / "00007.csv").write_text("7.csv,1,unreadable,old\n")
    _read(tmp_path, [f"u,a,{DAY},1,1"])
    assert "old" not in (tmp_path / "quarantine.csv").read_text()
