import dataclasses

import numpy as np
import pytest

from tests.helpers.basket_logs import basket_log
from tests.helpers.item_histories import histories
from trainer.data import features
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.own_items_first import OwnItemsConstants, OwnItemsFirst
from trainer.evaluation.baselines.popularity import Popularity, PopularityConstants
from trainer.evaluation.baselines.selection import HeldOut, choose_baselines, search
from trainer.evaluation.metrics import basket_values

ITEMS = 9
BASKET_KINDS = {"popularity", "own_items", "item_transitions", "item_knn", "tifu_knn", "up_cf"}


def ndcg(ranks, splits):
    return basket_values(ranks, splits, "basket_ndcg@10")


def held_out(log, seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 4, len(log))
    targets = np.concatenate([rng.choice(ITEMS, n, replace=False) + 1 for n in sizes])
    return HeldOut(log, targets, np.concatenate([[0], np.cumsum(sizes)]))


def chosen_ranks(training, validation, judged, seed=1, exclude_seen=False):
    selection = choose_baselines(training, validation, ITEMS, ndcg, exclude_seen, seed)
    given = (judged.histories, judged.targets, judged.target_splits)
    return selection, {k: c.ranks(*given, exclude_seen) for k, c in selection.chosen.items()}


def test_every_kind_is_chosen_by_the_measure_and_the_best_of_all_is_known():
    training, validation = basket_log(40, ITEMS, 1), held_out(basket_log(30, ITEMS, 2), 3)
    selection, ranks = chosen_ranks(training, validation, validation)
    assert selection.chosen.keys() == BASKET_KINDS
    assert not selection.left_out
    for kind, chosen in selection.chosen.items():
        judged = np.nanmean(ndcg(ranks[kind], validation.target_splits))
        assert chosen.value == pytest.approx(judged)
    assert selection.best.value == max(c.value for c in selection.chosen.values())
    assert selection.chosen["own_items"].tried > 20


def test_the_same_seed_gives_the_same_choice_and_ranks():
    training, validation = basket_log(40, ITEMS, 1), held_out(basket_log(30, ITEMS, 2), 3)
    (first, ranks), (second, again) = (
        chosen_ranks(training, validation, validation) for _ in range(2)
    )
    for kind, chosen in first.chosen.items():
        assert (chosen.constants, chosen.value) == (
            second.chosen[kind].constants,
            second.chosen[kind].value,
        )
        np.testing.assert_array_equal(ranks[kind], again[kind])


def test_without_seen_items_own_items_are_no_kind():
    training, validation = basket_log(40, ITEMS, 1), held_out(basket_log(30, ITEMS, 2), 3)
    selection, _ = chosen_ranks(training, validation, validation, exclude_seen=True)
    assert selection.chosen.keys() == BASKET_KINDS - {"own_items"}
    assert selection.left_out == {"own_items": "items that the user already has are left out"}


def test_kinds_for_baskets_are_left_out_of_a_log_without_any():
    log = histories(*([1, 2, 3, 1] for _ in range(6)))
    validation = HeldOut(log, np.full(6, 2), np.arange(7))
    selection = choose_baselines(log, validation, ITEMS, ndcg, False, 0)
    assert selection.left_out.keys() == {"tifu_knn", "up_cf"}


def test_constants_that_do_better_are_found():
    # Everybody takes again what they had last, which they had less often than another item.
    log = histories(*([i, i, i, i, i + 1] for i in (1, 3, 5, 7)))
    training = EventLog(log, ITEMS)
    own = OwnItemsFirst(training, Popularity(training, 0))
    validation = HeldOut(log, np.array([2, 4, 6, 8]), np.arange(5))
    chosen = search(own, validation, ndcg, False, 0)
    assert chosen.value == 1.0
    assert chosen.constants.aging.unit in ("instants", "latest")


def test_a_sample_decides_and_all_are_judged():
    log = basket_log(30, ITEMS, 2)
    validation = held_out(log, 3)
    part = validation.sample(10, seed=1)
    assert len(part.histories) == 10
    assert part.targets.size == part.target_splits[-1]
    assert validation.sample(30, seed=1) is validation
    training = EventLog(basket_log(40, ITEMS, 1), ITEMS)
    popularity = Popularity(training, 0)
    popularity.search_users = 10
    chosen = search(popularity, validation, ndcg, False, 0)
    ranks = chosen.ranks(log, validation.targets, validation.target_splits)
    assert chosen.value == pytest.approx(np.nanmean(ndcg(ranks, validation.target_splits)))


def test_without_anybody_to_ask_the_first_constants_stay():
    log = basket_log(40, ITEMS, 1)
    nobody = HeldOut(histories([]).take(np.zeros(0, int)), np.zeros(0, int), np.zeros(1, int))
    selection = choose_baselines(log, nobody, ITEMS, ndcg, False, 0)
    assert selection.best.baseline.kind == "popularity"
    assert selection.best.constants == PopularityConstants()
    assert np.isnan(selection.best.value)
    assert selection.chosen["own_items"].constants == OwnItemsConstants()


def shuffled_baskets(log, seed):
    """The same log, the events of an instant in another order."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(log)), log.lengths)
    order = np.lexsort((rng.random(owner.size), log.columns[features.TIME], owner))
    return dataclasses.replace(log, columns={n: c[order] for n, c in log.columns.items()})


def renamed(log, names):
    """The same log, item `i` called `names[i]`."""
    item = log.columns[features.ITEM]
    return dataclasses.replace(log, columns={**log.columns, features.ITEM: names[item]})


@pytest.mark.parametrize("kind", sorted(BASKET_KINDS - {"item_transitions"}))
def test_the_order_of_rows_within_an_instant_changes_nothing(kind):
    training, validation = basket_log(40, ITEMS, 1), held_out(basket_log(30, ITEMS, 2), 3)
    chosen = choose_baselines(training, validation, ITEMS, ndcg, False, 1).chosen[kind]
    judged = shuffled_baskets(validation.histories, 5)
    again = choose_baselines(
        shuffled_baskets(training, 4),
        HeldOut(judged, validation.targets, validation.target_splits),
        ITEMS,
        ndcg,
        False,
        1,
    ).chosen[kind]
    assert again.constants == chosen.constants
    given = (validation.targets, validation.target_splits)
    np.testing.assert_array_equal(
        chosen.ranks(validation.histories, *given), again.ranks(judged, *given)
    )


@pytest.mark.parametrize("kind", sorted(BASKET_KINDS))
def test_other_names_of_the_items_change_nothing_but_ties(kind):
    training, validation = basket_log(40, ITEMS, 1), held_out(basket_log(30, ITEMS, 2), 3)
    names = np.concatenate([[0], np.random.default_rng(6).permutation(ITEMS) + 1, [ITEMS + 1]])
    first = choose_baselines(training, validation, ITEMS, ndcg, False, 1).chosen[kind]
    other = HeldOut(
        renamed(validation.histories, names), names[validation.targets], validation.target_splits
    )
    second = choose_baselines(renamed(training, names), other, ITEMS, ndcg, False, 1).chosen[kind]
    log, other_log = EventLog(validation.histories, ITEMS), EventLog(other.histories, ITEMS)
    [one], [two] = (
        list(rule.baseline.scores(part, [first.constants]))
        for rule, part in ((first, log), (second, other_log))
    )
    np.testing.assert_allclose(
        one.scores.toarray()[:, 1:], two.scores.toarray()[:, names[1 : ITEMS + 1]], rtol=1e-3
    )
