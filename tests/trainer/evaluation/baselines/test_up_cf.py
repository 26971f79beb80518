import numpy as np
import pytest

from tests.helpers.basket_logs import assert_ranks, basket_log, rows_of
from tests.helpers.item_histories import histories
from trainer.evaluation.baselines import up_cf
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import catalogue_places, random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.up_cf import UpCf, UpCfConstants

ITEMS = 9
TRAINING, JUDGED = basket_log(users=30, seed=1), basket_log(seed=2)
PLACES = catalogue_places(random_order(ITEMS, 1))


def shares(row, baskets):
    """The share of the latest baskets that hold each item."""
    found = np.zeros(ITEMS + 2)
    latest = row if baskets is None else row[-baskets:]
    for basket in latest:
        found[list(set(basket))] += 1 / len(latest)
    return found[1 : ITEMS + 1]


def similarity(own, other, asymmetry):
    if not own.any() or not other.any():
        return 0.0
    common = ((own > 0) & (other > 0)).sum()
    return common / ((own > 0).sum() ** asymmetry * (other > 0).sum() ** (1 - asymmetry))


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize(
    "constants", [UpCfConstants(None, 0.5, 3), UpCfConstants(2, 0.25, 5), UpCfConstants(1, 1, 1)]
)
def test_shares_of_the_user_and_of_similar_users(constants, exclude_seen):
    others = [shares(row, constants.baskets) for row in rows_of(TRAINING)]
    scores = []
    for row in rows_of(JUDGED):
        own = shares(row, constants.baskets)
        found = own.copy()
        for other in others:
            found += similarity(own, other, constants.asymmetry) ** constants.locality * other
        rounded = found.astype(np.float32)
        scores.append({i + 1: rounded[i] for i in np.flatnonzero(rounded)})
    rule = UpCf(EventLog(TRAINING, ITEMS), PLACES, seed=0)
    assert_ranks(rule, constants, JUDGED, scores, PLACES, ITEMS, exclude_seen)


def test_only_the_nearest_users_recommend(monkeypatch):
    monkeypatch.setattr(up_cf, "_NEIGHBOURS", 1)
    training = EventLog(histories([1, 2, 3], [1, 4, 5, 6], times=[[0, 0, 0], [0] * 4]), 7)
    judged = histories([1, 2], times=[[0, 0]])
    places = catalogue_places(np.array([6, 5, 4, 3, 2, 1, 0]))
    rule = UpCf(training, places, seed=0)
    ranks = rule.ranks([UpCfConstants(None, 0.5, 1)], judged, [3, 7, 6, 4], [0, 4])
    # The nearest user gives item 3; all others stand by their places, the last item first.
    assert ranks.tolist() == [[3, 4, 5, 7]]


def test_a_log_without_baskets_is_refused():
    with pytest.raises(NotApplicable, match="no instant holds several items; UP-CF@r is for"):
        UpCf(EventLog(histories([1, 2], [2]), 3), np.arange(4), seed=0)
