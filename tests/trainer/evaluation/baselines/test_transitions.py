from collections import defaultdict

import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks
from tests.helpers.item_histories import histories
from trainer.data.item_transitions import REACH, count_transitions
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.transitions import (
    TransitionConstants,
    Transitions,
    latest_items,
)

ITEMS = 8


def random_histories(seed, longest):
    rng = np.random.default_rng(seed)
    return histories(*(rng.integers(0, ITEMS + 2, rng.integers(0, longest)) for _ in range(15)))


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_followers_of_the_latest_items_add_up(exclude_seen):
    transitions = count_transitions(random_histories(1, 12), ITEMS)
    judged = random_histories(2, 3)
    places = catalogue_places(random_order(ITEMS, 1))
    scores = []
    for start, end in zip(judged.splits[:-1], judged.splits[1:], strict=True):
        bonus = defaultdict(float)
        for step, item in enumerate(judged.columns["item"][start:end][::-1][:REACH]):
            if item <= ITEMS:
                gains = transitions.strengths[item].astype(np.float64) * np.exp(-step / 5)
                for follower, gain in zip(transitions.followers[item], gains, strict=True):
                    if follower:
                        bonus[follower] += gain
        scores.append(bonus)
    rule = Transitions(transitions, places)
    assert_ranks(rule, TransitionConstants(), judged, scores, places, ITEMS, exclude_seen)


def test_latest_items_are_newest_first_and_padded():
    latest = latest_items(histories([1, 2, 3], [], [4]))
    assert latest.shape == (3, REACH)
    assert latest[:, :4].tolist() == [[3, 2, 1, 0], [0, 0, 0, 0], [4, 0, 0, 0]]
    assert latest_items(histories([])).sum() == 0
