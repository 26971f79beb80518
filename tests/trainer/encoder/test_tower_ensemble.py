"""An ensemble's score is the mean of its members', and each member has the whole loss."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import LabelConfig
from trainer.serving.export import load_encoder, save_encoder
from trainer.training.next_item_model import NextItemModel


def member_scores(encoder, events):
    vectors = encoder.catalogue(events["item"], events["category"])
    table = encoder.catalogue.table()
    for m, tower in enumerate(encoder.tower.members):
        part = slice(8 * m, 8 * m + 8)
        query = tower(events, vectors[..., part])
        yield tf.matmul(query, table[:, part], transpose_b=True) + table[:, -1]


def test_score_is_the_mean_of_the_members(encoder, events):
    mean = np.mean([s.numpy() for s in member_scores(encoder, events)], axis=0)
    np.testing.assert_allclose(
        encoder.catalogue.logits(encoder(events))[:, 1:], mean[:, 1:], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("sampled", [None, 12], ids=["full", "sampled"])
def test_loss_is_the_mean_of_the_members_losses(encoder, events, sampled):
    # After the first row's next item comes another one, which the second member learns too.
    targets = tf.constant([[4, 9], [7, 0]], tf.int32)
    model = NextItemModel(encoder, LabelConfig(later_items=1, later_weight=0.25), sampled)
    assert model.later_items == 1
    surprise = [-tf.nn.log_softmax(s[:, 1:]).numpy() for s in member_scores(encoder, events)]
    losses = [np.mean([s[0, 3], s[1, 6]]) for s in surprise]
    losses[1] = np.mean([0.75 * surprise[1][0, 3] + 0.25 * surprise[1][0, 8], surprise[1][1, 6]])
    outputs = model(events)
    # All 12 items are drawn: the sampled loss is the full one but for the estimated correction.
    got = float(model.compute_loss(events, targets, outputs))
    assert got == pytest.approx(float(np.mean(losses)), rel=1e-3 if sampled else 1e-5)
    assert np.std(losses) > 1e-3


def test_it_is_saved_and_loaded(encoder, events, tmp_path):
    save_encoder(encoder, str(tmp_path))
    loaded = load_encoder(str(tmp_path))
    assert loaded.members == 3
    assert loaded.tower.width == 24
    np.testing.assert_allclose(loaded(events), encoder(events), rtol=1e-5)
