"""What holds for every peer, and how the constants are chosen."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.item_histories import histories
from tests.helpers.planted_tastes import ITEMS, ndcg, tastes_log
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.popularity import Popularity
from trainer.evaluation.baselines.selection import HeldOut, search
from trainer.evaluation.compared_models import ALS, BPR, GRU, LSTM, NCF, PEERS
from trainer.evaluation.peers import selection
from trainer.evaluation.peers.library import check_library
from trainer.evaluation.peers.peer import Peer
from trainer.settings import ConfigError

WITHOUT_LIBRARY = pytest.mark.skipif(
    importlib.util.find_spec("implicit") is None,
    reason="the library implicit is not installed (extra `peers`)",
)
MARKS = dict.fromkeys((ALS, BPR), WITHOUT_LIBRARY) | dict.fromkeys(
    (NCF, GRU, LSTM), pytest.mark.slow
)
KINDS = [pytest.param(kind, marks=MARKS.get(kind, ())) for kind in PEERS]

CATALOGUE = ITEMS + 3
"""The last three are in no history."""


def chosen(kind, exclude_seen=False, seed=1, validation_seed=2, training_seed=1):
    in_order = kind in (GRU, LSTM)
    training, _ = tastes_log(160, training_seed, in_order)
    _, validation = tastes_log(60, validation_seed, in_order)
    found = selection.choose_peers(
        [kind], training, validation, CATALOGUE, ndcg, exclude_seen, seed
    )
    assert not found.left_out
    return found.chosen[kind]


@pytest.fixture(scope="module")
def trained():
    """Each kind is trained once for all tests that only ask it."""
    kept = {}

    def of(kind):
        if kind not in kept:
            kept[kind] = chosen(kind)
        return kept[kind]

    return of


def without_search(monkeypatch, constants):
    """Peers are trained once, with these constants."""
    make = selection._peer

    def peer(kind, log, seed):
        made = make(kind, log, seed)
        made.start, made.grid = constants, {}
        return made

    monkeypatch.setattr(selection, "_peer", peer)


def value_of(peer, held_out, exclude_seen=False):
    given = (held_out.histories, held_out.targets, held_out.target_splits)
    return np.nanmean(ndcg(peer.ranks(*given, exclude_seen), held_out.target_splits))


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_taste_is_found(trained, kind):
    _, test = tastes_log(60, 3, kind in (GRU, LSTM))
    training, _ = tastes_log(160, 1)
    popularity = search(Popularity(EventLog(training, ITEMS), 1), test, ndcg, False, 1)
    assert value_of(trained(kind), test) > 2 * popularity.value
    assert 0 < trained(kind).value <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_seen_items_are_left_out(trained, kind):
    _, test = tastes_log(40, 3)
    log = test.histories
    own = HeldOut(log, log.columns["item"], log.splits)
    given = (log, own.targets, own.target_splits)
    assert (trained(kind).ranks(*given, exclude_seen=True) == CATALOGUE + 1).all()
    assert (trained(kind).ranks(*given) <= ITEMS).all()
    new = (log, test.targets, test.target_splits)
    assert (trained(kind).ranks(*new, exclude_seen=True) <= trained(kind).ranks(*new)).all()
    assert (trained(kind).ranks(*new, exclude_seen=True) <= ITEMS - 6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_ranks_and_no_global_seed_is_touched(
    trained, kind, monkeypatch
):
    """Whatever constants were tried before."""
    _, test = tastes_log(30, 3)
    given = (test.histories, test.targets, test.target_splits)
    without_search(monkeypatch, trained(kind).constants)
    tf.random.set_seed(7)
    np.random.seed(7)
    expected = (np.random.random(), tf.random.uniform([]).numpy())
    tf.random.set_seed(7)
    np.random.seed(7)
    again = chosen(kind)
    assert (np.random.random(), tf.random.uniform([]).numpy()) == expected
    assert again.value == trained(kind).value
    np.testing.assert_array_equal(again.ranks(*given), trained(kind).ranks(*given))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_held_out_and_who_else_is_asked_change_no_score(trained, kind):
    """A user's scores come from the history alone."""
    _, test = tastes_log(12, 3)
    both = trained(kind).model(EventLog(test.histories, CATALOGUE))
    alone = trained(kind).model(EventLog(test.histories.take(np.array([5])), CATALOGUE))
    np.testing.assert_allclose(alone[0], both[5], rtol=1e-4, atol=1e-5)
    assert not np.allclose(both[4], both[5], rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_users_without_a_known_item_are_answered(trained, kind):
    """One with no event at all, one of whom only unknown items are known."""
    log = histories([], [CATALOGUE + 1, CATALOGUE + 1], [1, 2])
    ranks = trained(kind).ranks(log, np.array([1, 1, 1]), np.arange(4))
    assert ranks[0] == ranks[1] <= ITEMS


@pytest.mark.parametrize("kind", KINDS)
def test_items_that_no_training_history_names_stand_last(trained, kind):
    _, test = tastes_log(20, 2)
    new = np.tile(np.arange(ITEMS + 1, CATALOGUE + 1), len(test.histories))
    splits = np.arange(len(test.histories) + 1) * 3
    assert (trained(kind).ranks(test.histories, new, splits) > ITEMS).all()


@dataclasses.dataclass(frozen=True)
class Constants:
    first: int = 1
    second: int = 1


class Scripted(Peer[Constants]):
    """Its models are their constants."""

    kind = "scripted"
    start = Constants()
    grid = {"first": (1, 2, 3), "second": (1, 2)}

    def fit(self, constants, judge):
        return constants


def test_constants_that_do_better_are_found_and_the_first_of_equals_stays():
    worth = {(1, 1): 0.2, (2, 1): 0.4, (3, 1): 0.4, (2, 2): 0.5}
    asked = []

    def judge(model):
        asked.append(model)
        return worth[model.first, model.second]

    found = selection.search(Scripted(), judge)
    assert found == (Constants(2, 2), Constants(2, 2), 0.5, 4)
    assert len(asked) == 4
    assert selection.search(Scripted(), lambda model: float("nan"))[1] == Constants()


def test_a_log_without_events_leaves_all_out():
    nothing, validation = histories([]), tastes_log(5, 2)[1]
    found = selection.choose_peers(["ease"], nothing, validation, ITEMS, ndcg, False, 1)
    assert found.left_out == {"ease": "the training histories name no item of the catalogue"}


@pytest.mark.parametrize(
    ("kind", "module", "limit"),
    [
        ("ease", "ease", "MOST"),
        ("ncf", "ncf", "MOST_ITEMS"),
        ("gru", "recurrent", "MOST_ITEMS"),
    ],
)
def test_a_log_that_is_too_large_leaves_a_peer_out(kind, module, limit, monkeypatch):
    module = importlib.import_module(f"trainer.evaluation.peers.{module}")
    monkeypatch.setattr(module, limit, 10)
    training, validation = tastes_log(20, 1)
    found = selection.choose_peers([kind], training, validation, ITEMS, ndcg, False, 1)
    assert f" has {ITEMS} items" in found.left_out[kind]
    assert found.left_out[kind].endswith("at most 10")


def test_a_missing_library_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_library(["ease", "lstm"])
    with pytest.raises(ConfigError, match=r"als and bpr need the library implicit.*pip install"):
        check_library(["als", "ease", "bpr"])
    with pytest.raises(ConfigError, match=r"'combiner.peers': als needs .* or leave it out"):
        check_library(["als"])
