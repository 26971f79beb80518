"""What is held out where models are asked for some actions only, `data.target_actions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.behavior_example_gen.cleaning.event_rules import NEVER
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.steps.plan import Plan, make_plan
from components.behavior_example_gen.steps.reports import PartitionReport
from components.behavior_example_gen.steps.splitting import Timeline, split_events
from tests.helpers.behavior_example_gen_runs import ingest, table
from trainer.errors import DataError
from trainer.evaluation_config import EvaluationConfig
from trainer.settings import ConfigError

DAY = 86_400
START = 1_600_000_000 // DAY * DAY
HEADER = "user_id,item_id,timestamp,action"


def _split(text: str, times: list[int], plan: Plan) -> dict[str, tuple[str, str]]:
    """History and target by split, as letters; capital letters are purchases."""
    wanted = np.array([letter.isupper() for letter in text])
    users = np.zeros(len(text), np.int64)
    timeline = Timeline(users, np.array(times), np.full(len(text), NEVER), wanted)
    splits = split_events(timeline, plan, np.ones(len(text), bool), 1)
    return {
        name: (
            "".join(letter for letter, inside in zip(text, split.history, strict=True) if inside),
            "".join(letter for letter, inside in zip(text, split.target, strict=True) if inside),
        )
        for name, split in splits.items()
    }


def test_the_first_purchase_after_the_cut_with_all_that_was_viewed_before_it() -> None:
    found = _split("aBcDdEffGh", [1, 2, 3, 4, 4, 5, 6, 7, 8, 8], Plan(False, 3, 6))
    assert found == {
        "train": ("aB", ""),
        "validation": ("aBc", "D"),
        "test": ("aBcDdEff", "G"),
    }


def test_only_purchases_of_the_period_that_begins_with_the_first() -> None:
    asked = EvaluationConfig(task="next_period", period_days=2)
    times = [day * DAY for day in (0, 3, 4, 5, 5.5, 6, 9)]
    found = _split(
        "abCdEfG", [int(time) for time in times], Plan(False, DAY, 20 * DAY, 0, 1, False, asked)
    )
    assert found["validation"] == ("ab", "CE")


def test_leave_one_out_holds_out_the_last_two_purchases() -> None:
    assert _split("aBbCcDe", [1, 2, 3, 4, 4, 5, 6], Plan(True)) == {
        "train": ("aBb", ""),
        "validation": ("aBb", "C"),
        "test": ("aBbCc", "D"),
    }
    # Without an event before them nothing is held out.
    assert _split("BCd", [1, 2, 3], Plan(True))["test"] == ("", "")
    assert _split("aBc", [1, 2, 3], Plan(True))["train"] == ("aBc", "")


def _funnel() -> list[list[Any]]:
    """Every user views two items a day and buys the second every third day."""
    rows: list[list[Any]] = []
    for user in range(12):
        for day in range(30):
            time = START + day * DAY + user
            rows += [[f"u{user}", f"i{(day + user) % 7}", time, "view"]]
            rows += [[f"u{user}", f"i{(day + user + 1) % 7}", time + 60, "view"]]
            if (day + user) % 3 == 0:
                rows += [[f"u{user}", f"i{(day + user + 1) % 7}", time + 120, "purchase"]]
    return rows


@pytest.mark.parametrize("split", ["temporal", "leave_one_out"])
@pytest.mark.slow
def test_a_run_asks_for_purchases_and_keeps_all_events(split: str, tmp_path: Path) -> None:
    rows = _funnel()
    result = ingest(
        tmp_path, table(rows, HEADER), split=split, target_actions=["purchase"], min_item_events=1
    )
    assert result.quality["task"]["actions"] == ["purchase"]
    of_user = {user: [row for row in rows if row[0] == user] for user, *_ in rows}
    assert len(result.splits["test"]) == 12
    for name in ("validation", "test"):
        for history in result.splits[name]:
            events = of_user[history["user_id"][0]]
            begins = len(history["item_ids"])
            # The history is all that came before, and what comes next was bought.
            assert history["timestamps"] == [row[2] for row in events[:begins]]
            assert history["item_ids"] == [row[1] for row in events[:begins]]
            assert events[begins][3] == "purchase"
            assert history["target_item_ids"] == [events[begins][1]]
            assert set(history["actions"]) == {"view", "purchase"}
    assert any("view" in history["actions"] for history in result.splits["train"])


@pytest.mark.slow
def test_without_target_actions_nothing_changes(tmp_path: Path) -> None:
    """The first event after the cut is a view, and the history ends at the cut."""
    result = ingest(tmp_path, table(_funnel(), HEADER), min_item_events=1)
    cut = np.datetime64(result.quality["split"]["test_cut"].rstrip("Z"), "s").astype(int)
    assert all(max(history["timestamps"]) < cut for history in result.splits["test"])
    assert result.quality["task"]["actions"] == []


@pytest.mark.slow
def test_an_unknown_action_is_told_the_nearest_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"data\.target_actions: no event has the action 'purchases'; did you mean "
        r"'purchase'\?.* view 720, purchase 120",
    ):
        ingest(tmp_path, table(_funnel(), HEADER), target_actions=["purchases"])


def test_actions_of_all_partitions_are_known() -> None:
    reports = [PartitionReport(), PartitionReport()]
    reports[0].actions["view"] = 3
    reports[1].actions["buy"] = 1
    config = DataConfig(target_actions=("buy",))
    make_plan(reports, True, config, EvaluationConfig())
    with pytest.raises(DataError, match=r"'Buy'.*did you mean 'buy'\?"):
        make_plan(reports, True, DataConfig(target_actions=("Buy",)), EvaluationConfig())


@pytest.mark.slow
def test_too_few_purchases_name_the_setting(tmp_path: Path) -> None:
    rows = [row for row in _funnel() if row[3] == "view" or row[2] < START + 5 * DAY]
    with pytest.raises(DataError, match=r"'purchase' \(data\.target_actions\)"):
        ingest(tmp_path, table(rows, HEADER), target_actions=["purchase"])


def test_names_of_actions_are_text() -> None:
    assert DataConfig.from_dict({"target_actions": [2]}).target_actions == ("2",)
    with pytest.raises(ConfigError, match=r"target_actions.*no name for an action"):
        DataConfig.from_dict({"target_actions": [" "]})
