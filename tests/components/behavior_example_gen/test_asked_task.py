"""What each task holds out, against a count by hand over the rows of the log."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.behavior_example_gen.cleaning.event_rules import NEVER
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.splitting import Timeline, split_events
from tests.helpers.behavior_example_gen_runs import Ingested, ingest, table
from trainer.evaluation_config import EvaluationConfig
from trainer.settings import ConfigError

DAY = 86_400
START = 1_600_000_000 // DAY * DAY
TASKS: dict[str, dict[str, Any]] = {
    "next_item": {"task": "next_item"},
    "next_basket": {"task": "next_basket"},
    "next_period": {"task": "next_period", "period_days": 2},
}


def _log() -> list[tuple[str, str, int]]:
    """Receipts of several items, twice the same among them, within six weeks."""
    rng = np.random.default_rng(11)
    rows = []
    for user in range(25):
        for day in sorted(rng.choice(42, 14, replace=False)):
            moment = START + int(day) * DAY + int(rng.integers(0, 2)) * 3600
            size = int(rng.integers(1, 4))
            rows += [(f"u{user}", f"i{rng.integers(12)}", moment) for _ in range(size)]
    return rows


def _by_hand(
    rows: list[tuple[str, str, int]], quality: dict[str, Any], task: str
) -> dict[str, dict[str, list[str]]]:
    """By split and user, the items in the order of the rows, each once."""
    cuts = [
        int(np.datetime64(quality["split"][name].rstrip("Z"), "s").astype(int))
        for name in ("validation_cut", "test_cut")
    ]
    found: dict[str, dict[str, list[str]]] = {}
    for split, start, end in (("validation", *cuts), ("test", cuts[1], NEVER)):
        targets: dict[str, list[str]] = defaultdict(list)
        first: dict[str, int] = {}
        known = {user for user, _, time in rows if time < start}
        for user, item, time in sorted(rows, key=lambda row: (row[0], row[2])):
            if not start <= time < end or user not in known:
                continue
            begun = first.setdefault(user, time)
            asked = {
                "next_item": not targets[user],
                "next_basket": time == begun,
                "next_period": time < begun + 2 * DAY,
            }[task]
            if asked and item not in targets[user]:
                targets[user].append(item)
        found[split] = dict(targets)
    return found


def _targets(result: Ingested) -> dict[str, dict[str, list[str]]]:
    return {
        split: {h["user_id"][0]: h["target_item_ids"] for h in result.splits[split]}
        for split in ("validation", "test")
    }


def _ingest(folder: Path, task: str, **settings: Any) -> Ingested:
    rows = [list(row) for row in _log()]
    folder.mkdir(exist_ok=True)
    evaluation = TASKS.get(task, {"task": task})
    return ingest(folder, table(rows), min_item_events=1, evaluation=evaluation, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_what_is_held_out_is_what_a_count_by_hand_holds_out(task: str, tmp_path: Path) -> None:
    # Rows that are equal in all columns are one event.
    rows = list(dict.fromkeys(_log()))
    result = _ingest(tmp_path, task, tie_order="log")
    expected = _by_hand(rows, result.quality, task)
    assert _targets(result) == expected
    sizes = [len(items) for items in expected["test"].values()]
    assert (max(sizes) > 1) == (task != "next_item")
    assert result.quality["held_out"]["test"]["items"] == sum(sizes)
    days = 2 if task == "next_period" else None
    assert result.quality["task"] == {
        "asked": task, "resolved": task, "period_days": days, "actions": [],
    }  # fmt: skip
    # Nothing that is held out is known, nor what comes with it.
    for split, of_users in expected.items():
        for user in of_users:
            history = result.history(split, user)
            assert history is not None
            cut = result.quality["split"][f"{split}_cut"].rstrip("Z")
            assert max(history["timestamps"]) < np.datetime64(cut, "s").astype(int)


@pytest.mark.slow
def test_the_next_item_is_the_first_of_the_basket_in_the_drawn_order(tmp_path: Path) -> None:
    items = _targets(_ingest(tmp_path / "item", "next_item"))
    baskets = _targets(_ingest(tmp_path / "basket", "next_basket"))
    auto = _ingest(tmp_path / "auto", "auto")
    assert _targets(auto) == baskets
    assert auto.quality["task"] == {
        "asked": "auto", "resolved": "next_basket", "period_days": None, "actions": [],
    }  # fmt: skip
    assert items == {
        split: {user: basket[:1] for user, basket in of_users.items()}
        for split, of_users in baskets.items()
    }


@pytest.mark.slow
def test_auto_is_the_next_item_where_nobody_has_several(tmp_path: Path) -> None:
    """An item that stands twice in an instant is one item."""
    rows = [[f"u{n % 7}", f"i{n % 3}", START + n * 3600, "view"] for n in range(200)]
    rows += [[*row[:3], "purchase"] for row in rows[::3]]
    result = ingest(tmp_path, table(rows, "user_id,item_id,timestamp,action"))
    assert result.quality["task"]["resolved"] == "next_item"
    assert {len(h["target_item_ids"]) for h in result.splits["test"]} == {1}


def _letters(text: str, times: list[int], plan: Plan) -> dict[str, str]:
    events = np.array(times)
    timeline = Timeline(np.zeros(len(text), np.int64), events, np.full(len(text), NEVER))
    splits = split_events(timeline, plan, np.ones(len(text), bool), 1)
    return {
        name: "".join(
            letter for letter, held in zip(text, splits[name].target, strict=True) if held
        )
        for name in ("validation", "test")
    }


def test_a_period_ends_where_the_window_of_its_split_ends() -> None:
    times = [day * DAY for day in (0, 10, 11, 12, 20, 21, 22, 30)]
    asked = EvaluationConfig(task="next_period", period_days=2)
    plan = Plan(False, 10 * DAY, 12 * DAY, evaluation=asked)
    assert _letters("ABCDEFGH", times, plan) == {"validation": "BC", "test": "D"}
    longer = EvaluationConfig(task="next_period", period_days=10)
    plan = Plan(False, 10 * DAY, 12 * DAY, evaluation=longer)
    assert _letters("ABCDEFGH", times, plan) == {"validation": "BC", "test": "DEF"}


def test_leave_one_out_may_ask_for_one_item() -> None:
    plan = Plan(True, evaluation=EvaluationConfig(task="next_item"))
    assert _letters("ABCDEF", [1, 2, 3, 3, 4, 4], plan) == {"validation": "C", "test": "E"}
    plan = Plan(True, evaluation=EvaluationConfig(task="next_basket"))
    assert _letters("ABCDEF", [1, 2, 3, 3, 4, 4], plan) == {"validation": "CD", "test": "EF"}


@pytest.mark.slow
def test_a_period_of_a_log_without_periods_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="data.split=temporal"):
        _ingest(tmp_path, "next_period", split="leave_one_out")
    (tmp_path / "s.txt").write_text("1 2 3 4\n2 3 4 5 6\n3 4 5 2\n7 8\n")
    with pytest.raises(ConfigError, match=r"s\.txt is a sequence file \(data\.format\)"):
        ingest(tmp_path, tmp_path / "s.txt", evaluation={"task": "next_period"})
