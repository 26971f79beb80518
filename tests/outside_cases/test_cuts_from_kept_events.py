"""Rows that are thrown away decided the split: the times of bots, duplicates and returns set the
cuts. They come from the events that stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.behavior_example_gen.steps import beam_pipeline
from tests.helpers.behavior_example_gen_runs import ingest, shop, table

_HEADER = "user_id,item_id,timestamp,quantity"
_LOG = [[*row, 1] for row in shop()]


def _facts(tmp_path: Path, rows: list[list[Any]], **settings: Any) -> dict[str, Any]:
    quality = ingest(tmp_path, table(rows, _HEADER), **settings).quality
    cuts = {name: quality["split"][name] for name in ("validation_cut", "test_cut")}
    return {**cuts, "periods": quality["events_per_period"], "kept": quality["events_kept"]}


def test_what_is_thrown_away_has_no_say(tmp_path: Path) -> None:
    early, late = "2020-01-01T00", "2020-02-02T00"
    thrown_away = [
        *(["bot", f"i{n % 5}", f"{early}:{n // 60:02d}:{n % 60:02d}", 1] for n in range(100)),
        *([_LOG[0], _LOG[-1]] * 100),  # duplicates
        *(["u1", "i1", f"{late}:30:{n:02d}", -9] for n in range(60)),  # returns of nothing
        *(["u1", "i1", f"{late}:10:{n:02d}", 7] for n in range(60)),  # taken back by the next
        *(["u1", "i1", f"{late}:20:{n:02d}", -7] for n in range(60)),
        *(["u1", "POST", f"{late}:00:{n:02d}", 1] for n in range(60)),
        *([f"once{n}", "i1", f"{late}:40:00", 1] for n in range(100)),
    ]
    settings = {"max_events_per_user_per_day": 95, "drop_items": "POST"}
    alone = _facts(tmp_path, _LOG, **settings)
    assert alone["validation_cut"] == "2020-01-17T10:00:00Z"
    assert _facts(tmp_path, [*thrown_away, *_LOG], **settings) == alone


def test_the_cuts_do_not_depend_on_the_partitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [*_LOG, *([_LOG[-1]] * 100)]
    monkeypatch.setattr(beam_pipeline, "_TIMES_SAMPLED", 50)
    expected = _facts(tmp_path, rows)
    monkeypatch.setattr(beam_pipeline, "_EVENTS_PER_PARTITION", 10)
    assert _facts(tmp_path, rows) == expected
