"""Histories that go on through the windows of validation and test, for the behaviour head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.behavior_example_gen.cleaning.event_rules import NEVER
from components.behavior_example_gen.component import BehaviorExampleGen
from components.behavior_example_gen.steps.later_events import later_events
from components.behavior_example_gen.steps.plan import Plan
from components.behavior_example_gen.steps.splitting import Timeline
from tests.helpers.behavior_example_gen_runs import ingest, table
from trainer.errors import DataError
from trainer.settings import ConfigError

HEADER = "user_id,item_id,timestamp,action"


def _later(
    text: str, times: list[int], returned: dict[int, int] | None = None
) -> dict[str, tuple[str, list[int]]]:
    """History of each split, as letters, and its first positions; users are told by a space."""
    users = np.cumsum([letter == " " for letter in text])[[letter != " " for letter in text]]
    letters = [letter for letter in text if letter != " "]
    taken_back = np.full(len(letters), NEVER)
    for place, moment in (returned or {}).items():
        taken_back[place] = moment
    splits = later_events(
        Timeline(users, np.array(times), taken_back), Plan(False, validation_cut=3, test_cut=6)
    )
    return {
        name: (
            "".join(x for x, inside in zip(letters, split.history, strict=True) if inside),
            [] if split.first_target is None else split.first_target.tolist(),
        )
        for name, split in splits.items()
    }


def test_everyone_with_an_event_of_the_window_and_all_that_came_before_its_end() -> None:
    found = _later("abcde fgh i", [1, 2, 3, 5, 7, 2, 6, 8, 1])
    # The second user has no event between the cuts, the third none after the first cut.
    assert found == {"validation": ("abcd", [2]), "test": ("abcdefgh", [4, 1])}


def test_who_comes_first_in_the_window_has_no_event_before_it() -> None:
    assert _later("ab", [3, 4])["validation"] == ("ab", [0])


def test_what_is_returned_before_the_end_of_the_window_is_not_there() -> None:
    # b is returned within the validation window, d after it.
    found = _later("abcde", [1, 2, 3, 4, 7], returned={1: 5, 3: 8})
    assert found == {"validation": ("acd", [1]), "test": ("ace", [2])}


def _rows() -> list[list[object]]:
    """Twelve users look every day and buy every third day."""
    start = 1_600_000_000
    return [
        [f"u{user:02d}", f"i{day % 5}", start + day * 86_400 + user + 60 * bought, action]
        for user in range(12)
        for day in range(30)
        for bought, action in enumerate(["view", "purchase"])
        if not bought or (day + user) % 3 == 0
    ]


@pytest.mark.slow
def test_a_run_writes_them_beside_the_examples(tmp_path: Path) -> None:
    rows = _rows()
    result = ingest(
        tmp_path,
        table(rows, HEADER),
        behavior_actions=["purchase"],
        target_actions=["purchase"],
        min_item_events=1,
    )
    cuts = [
        int(np.datetime64(result.quality["split"][cut].rstrip("Z"), "s").astype(int))
        for cut in ("validation_cut", "test_cut")
    ]
    ends = {"validation": cuts[1], "test": 2**40}
    for start, (split, end) in zip(cuts, ends.items(), strict=True):
        assert len(result.later[split]) == 12
        for history in result.later[split]:
            own = [row for row in rows if row[0] == history["user_id"][0]]
            kept = [row for row in own if row[2] < end]  # type: ignore[operator]
            assert history["timestamps"] == [row[2] for row in kept]
            assert history["actions"] == [row[3] for row in kept]
            [first] = history["first_target"]
            assert history["timestamps"][first] >= start > history["timestamps"][first - 1]
            assert not history.get("target_item_ids")


@pytest.mark.slow
def test_what_is_written_else_does_not_depend_on_the_head(tmp_path: Path) -> None:
    for folder in ("with", "without"):
        (tmp_path / folder).mkdir()
    log = table(_rows(), HEADER)
    told = ingest(tmp_path / "with", log, behavior_actions=["purchase"], min_item_events=1)
    plain = ingest(tmp_path / "without", log, min_item_events=1)
    assert not (plain.folder / "later_events").exists()
    assert told.quality == plain.quality
    for split in ("train", "validation", "test"):
        assert told.splits[split] == plain.splits[split]


def test_the_node_has_the_output_only_with_a_head() -> None:
    assert "later_events" not in BehaviorExampleGen(["log.csv"]).outputs
    assert "later_events" in BehaviorExampleGen(["log.csv"], behavior_actions=["buy"]).outputs


@pytest.mark.slow
def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"behavior_head\.actions: no event has the action 'buy'"):
        ingest(tmp_path, table(_rows(), HEADER), behavior_actions=["buy"])
    with pytest.raises(ConfigError, match=r"behavior_head\.actions needs data\.split=temporal"):
        ingest(tmp_path, table(_rows(), HEADER), behavior_actions=["buy"], split="leave_one_out")
    sequences = tmp_path / "sequences.txt"
    sequences.write_text("1 2 3 4\n2 3 4 5\n")
    with pytest.raises(ConfigError, match=r"behavior_head\.actions needs actions and times"):
        ingest(tmp_path, sequences, behavior_actions=["buy"], format="sequences")
