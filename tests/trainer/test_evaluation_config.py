"""What the task decides beside what is held out: its name, and the default of the label."""

from __future__ import annotations

import pytest

from trainer.config import LabelConfig
from trainer.evaluation_config import EvaluationConfig, in_words
from trainer.settings import ConfigError


@pytest.mark.parametrize(
    ("asked", "several", "resolved"),
    [
        ("auto", False, "next_item"),
        ("auto", True, "next_basket"),
        ("next_item", False, "next_item"),
        ("next_basket", False, "next_basket"),
        ("next_period", True, "next_period"),
    ],
)
def test_auto_follows_what_was_held_out_and_the_others_stay(asked, several, resolved):
    assert EvaluationConfig(task=asked).resolved(several) == resolved


def test_a_task_has_the_name_that_people_use():
    assert in_words("next_item", None) == "next item"
    assert in_words("next_period", 1.0) == "next day"
    assert in_words("next_period", 0.5) == "next 0.5 days"


def test_only_a_task_that_asks_for_a_period_has_one():
    assert EvaluationConfig(task="next_period", period_days=0.5).period_seconds == 43_200
    assert EvaluationConfig(task="next_basket", period_days=0.5).period_seconds is None


def test_the_task_decides_the_label_unless_it_is_set():
    weights = {
        task: LabelConfig().weight_of_first(EvaluationConfig(task=task))
        for task in ("auto", "next_item", "next_basket", "next_period")
    }
    assert weights == {
        "auto": "even", "next_item": 1.0, "next_basket": "even", "next_period": "even",
    }  # fmt: skip
    own = LabelConfig(first_weight=0.3)
    assert own.weight_of_first(EvaluationConfig(task="next_item")) == 0.3
    assert LabelConfig(first_weight="even").weight_of_first(
        EvaluationConfig(task="next_item")
    ) == "even"  # fmt: skip


def test_a_split_without_periods_is_refused():
    asked = EvaluationConfig(task="next_period")
    asked.check_against("temporal")
    with pytest.raises(ConfigError, match=r"evaluation\.task=next_period.*data\.split=temporal"):
        asked.check_against("leave_one_out")
    EvaluationConfig().check_against("leave_one_out")
