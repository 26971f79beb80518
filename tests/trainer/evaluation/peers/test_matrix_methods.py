"""PureSVD, EASE and ALS against computations by hand."""

import numpy as np
import pytest

from tests.helpers.basket_logs import basket_log
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.peers.ease import Ease, EaseConstants
from trainer.evaluation.peers.fold_in import FoldIn
from trainer.evaluation.peers.pure_svd import PureSvd, PureSvdConstants
from trainer.evaluation.peers.user_items import user_items

ITEMS = 9
TRAINING, JUDGED = (EventLog(basket_log(40, ITEMS, seed), ITEMS) for seed in (1, 2))


def counts(log):
    """[users, items] as a loop counts them."""
    found = np.zeros((len(log), ITEMS))
    for user, item in zip(log.user, log.item, strict=True):
        found[user, item - 1] += 1
    return found


def of(log, weighting):
    plain = counts(log)
    return {"presence": plain > 0, "counts": plain, "log counts": np.log2(1 + plain)}[weighting]


def nobody(model):
    raise AssertionError("the closed forms ask nobody")


@pytest.mark.parametrize("weighting", ["presence", "log counts", "counts"])
def test_the_matrix_is_what_a_loop_counts(weighting):
    found = user_items(JUDGED, weighting)
    np.testing.assert_allclose(found.toarray(), of(JUDGED, weighting), rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("factors", [1, 3, 7])
@pytest.mark.parametrize("weighting", ["presence", "counts"])
def test_pure_svd_is_the_projection_onto_numpys_singular_vectors(factors, weighting):
    _, _, vectors = np.linalg.svd(of(TRAINING, weighting))
    expected = of(JUDGED, weighting) @ vectors[:factors].T @ vectors[:factors]
    peer = PureSvd(TRAINING, seed=3)
    peer._most = 7
    model = peer.fit(PureSvdConstants(factors, weighting), nobody)
    np.testing.assert_allclose(model(JUDGED), expected, atol=1e-8)


def test_pure_svd_needs_two_items():
    with pytest.raises(NotApplicable, match="two users and two items"):
        PureSvd(EventLog(basket_log(8, 1, 1), 1), seed=1)


@pytest.mark.parametrize("users", [40, 6])
@pytest.mark.parametrize("regularization", [0.5, 50.0])
def test_ease_minimises_the_loss_of_each_item_without_itself(regularization, users):
    """Column by column: ridge regression on all other items (Steck 2019, section 3.1)."""
    training = TRAINING.users(0, users)
    history = of(training, "presence").astype(float)
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        others = np.flatnonzero(np.arange(ITEMS) != item)
        x = history[:, others]
        gram = x.T @ x + regularization * np.eye(len(others))
        weights[others, item] = np.linalg.solve(gram, x.T @ history[:, item])
    peer = Ease(training, seed=0)
    assert len(peer._gram) == min(users, ITEMS)
    model = peer.fit(EaseConstants(regularization), nobody)
    np.testing.assert_allclose(model(JUDGED), of(JUDGED, "presence") @ weights, atol=1e-4)


def test_als_solves_a_users_vector_for_the_history():
    pytest.importorskip("implicit", reason="the library implicit is not installed (extra `peers`)")
    from trainer.evaluation.peers.als import Als, AlsConstants

    constants = AlsConstants(4, regularization=2.0, confidence=3.0, weighting="counts")
    model = Als(TRAINING, seed=1).fit(constants, nobody)
    scores = model(JUDGED)
    # The items' vectors, up to a change of basis, from the scores themselves.
    left, values, right = np.linalg.svd(scores.astype(float), full_matrices=False)
    assert (values[4:] < 1e-4 * values[0]).all()
    del left, right
    items = solver_items(model)
    seen = counts(JUDGED)
    for user in range(len(JUDGED)):
        confidence = 1 + np.where(seen[user] > 0, 3.0 * seen[user], 0.0)
        gram = items.T @ (items * confidence[:, None]) + 2.0 * np.eye(4)
        vector = np.linalg.solve(gram, items.T @ (confidence * (seen[user] > 0)))
        np.testing.assert_allclose(scores[user], items @ vector, atol=1e-3)


def solver_items(model):
    """The trained vectors inside of the model."""
    cells = dict(zip(model.__code__.co_freevars, model.__closure__, strict=True))
    return cells["solver"].cell_contents.item_factors.astype(float)


def test_a_linear_map_brings_training_users_back():
    rng = np.random.default_rng(0)
    items = rng.normal(size=(ITEMS, 3))
    history = user_items(TRAINING)
    had = np.maximum(np.diff(history.indptr), 1)[:, None]
    users = (history @ items) / had @ rng.normal(size=(3, 2)) + [1.0, -2.0]
    fold_in = FoldIn(users, items, history)
    np.testing.assert_allclose(fold_in(history), users, atol=0.05)
    empty = fold_in(history[:1] * 0)
    assert empty.shape == (1, 2)
