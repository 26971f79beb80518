"""Item content: it trains with the item table, is folded into it, and brings in unseen items."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.raw_histories import raw_history, write_records
from tests.helpers.some_signatures import with_signatures
from tests.helpers.trainer_runs import ONE_MEMBER, fn_args
from trainer import encoder_trainer
from trainer.data import features
from trainer.data.cooccurrence import _counts
from trainer.data.histories import Histories, read_histories
from trainer.data.item_content import ItemContent
from trainer.data.item_features import SCALE, cooccurrence_features, text_features
from trainer.data.item_statistics import TREND, ItemStatistics
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.catalogue_forms import as_of_log_end, with_features_folded_in
from trainer.encoder_trainer import run_fn
from trainer.serving.export import load_encoder, save_recommender

pytestmark = pytest.mark.slow

NEW = ["never sold", "ünsold"]


def content_of(vocabulary: list[bytes]):
    """Items of one circle are alike; new items are like those of the first."""

    rng = np.random.default_rng(0)
    ids = [*vocabulary, *(item.encode() for item in NEW), b"no text"]
    vectors = np.stack(
        [
            np.eye(6)[int(item[-3:]) // 10 if item in vocabulary else 0] + rng.normal(0, 0.05, 6)
            for item in ids[:-1]
        ]
    ).astype(np.float32)
    return ItemContent(ids, np.array([True] * (len(ids) - 1) + [False]), vectors)


@pytest.fixture(scope="module")
def trained(tiny_shop, tmp_path_factory):
    directory = tmp_path_factory.mktemp("content")
    content_of(tiny_shop.graph.vocabulary_by_name("items")).save(str(directory / "content"))
    training = {**ONE_MEMBER["training"], "epochs": 4}
    args = fn_args(directory, tiny_shop, {**ONE_MEMBER, "training": training})
    args.base_model = str(directory / "content")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_trainer, "save_recommender", save_evaluate)
        run_fn(args)
    return directory


def save_evaluate(recommender, *arguments):
    """The one signature that is asked here."""
    save_recommender(with_signatures(recommender, "evaluate"), *arguments)


def test_features_keep_what_distinguishes_the_items(tiny_shop):
    vocabulary = tiny_shop.graph.vocabulary_by_name("items")
    found = text_features(content_of(vocabulary), vocabulary)
    assert found.new_ids == [item.encode() for item in NEW]
    assert not found.known[0].any()
    assert not found.known[-1].any()
    assert np.sqrt((found.known[1:-1] ** 2).sum(1).mean()) == pytest.approx(SCALE, rel=1e-3)
    first = np.array([int(item[-3:]) < 10 for item in vocabulary])
    same, other = found.known[1:-1][first], found.known[1:-1][~first]
    for row in found.new:
        assert np.linalg.norm(same - row, axis=1).max() < np.linalg.norm(other - row, axis=1).min()


def test_nothing_changes_without_texts(tiny_shop):
    vocabulary = tiny_shop.graph.vocabulary_by_name("items")
    found = text_features(ItemContent.empty([b"never sold"], "no texts"), vocabulary)
    assert (found.dim, found.new_ids, found.why) == (0, [], "no texts")


def test_folding_changes_no_score():
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    catalogue = Catalogue(
        items=7, categories=3, own_items=True, width=8, feature_width=4, features_from=3, periods=2
    )
    catalogue.build()
    categories = np.array([0, 1, 2, 1, 2, 1, 2, 0, 0], np.int32)
    statistics = ItemStatistics(np.array([5, 6, 7]), rng.normal(0, 1, (3, 8, 3)))
    catalogue.set_statistics(np.arange(8), statistics, categories)
    catalogue.item_features.assign(rng.normal(0, 1, (9, 4)))
    catalogue.repeat_bonus.propensity.assign(rng.normal(0, 1, 8))
    new = rng.normal(0, 1, (2, 4)).astype(np.float32)
    folded = with_features_folded_in(catalogue, new, rare=np.array([1, 2]))
    query = tf.constant(rng.normal(0, 1, (3, 8)), tf.float32)
    before, after = catalogue.logits(query).numpy(), folded.logits(query).numpy()
    np.testing.assert_allclose(after[:, :8], before, rtol=1e-4)
    bias = catalogue.item_bias.numpy()[[1, 2]].mean()
    # Category 0, unknown, has a vector too.
    vectors = catalogue.features.mapped(new) + catalogue.category_embedding(np.array([0, 0]))
    rare = catalogue.item_embedding.embeddings.numpy()[[1, 2]].mean(axis=0)
    trend = statistics.table[-1, [1, 2], TREND].mean()
    expected = query.numpy() @ (vectors.numpy() + rare).T + bias + trend
    np.testing.assert_allclose(after[:, 8:], expected, rtol=1e-4, atol=1e-5)
    assert not catalogue.features.mapped(new).numpy()[:, :3].any()
    # Out of vocabulary stays what it was, behind the new items.
    unknown = catalogue(tf.constant([[8]]), tf.constant([[0]]))
    np.testing.assert_allclose(folded(tf.constant([[10]]), tf.constant([[0]])), unknown, rtol=1e-4)
    np.testing.assert_array_equal(
        folded.repeat_bonus.propensity.numpy()[:8], catalogue.repeat_bonus.propensity.numpy()
    )
    after = folded.item_statistics.numpy()
    np.testing.assert_allclose(after[:, :8], statistics.table, rtol=1e-6)
    np.testing.assert_allclose(after[:, 8], statistics.table[:, [1, 2]].mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(after[:, 8], after[:, 9])
    # Served as of the end of the log, with the same scores.
    settled = as_of_log_end(folded)
    assert settled.periods == 0
    np.testing.assert_allclose(settled.logits(query), folded.logits(query), rtol=1e-5)
    np.testing.assert_array_equal(settled.item_statistics.numpy()[0], after[-1])


def test_an_item_that_never_occurred_is_recommended_and_read(trained, tiny_shop):
    figures = json.loads((trained / "run" / "training.json").read_text())
    assert figures["derived"]["item_features"]["value"] == "texts"
    encoder = load_encoder(str(trained / "model"))
    assert list(encoder.new_items) == NEW
    assert encoder.catalogue.items == 22
    model = tf.saved_model.load(str(trained / "model"))
    first = [f"item,{i:03d}" for i in range(8)]
    history = raw_history(
        item_ids=[*first, NEW[0]], timestamps=list(range(9)), target_item_ids=[NEW[1]]
    )
    out = model.signatures["evaluate"](examples=tf.constant([history]))
    assert out["catalogue_size"].numpy()[0] == 22
    # Better than the ten items of the other circle.
    assert 1 <= out["rank"].numpy()[0] <= 14
    assert NEW[1].encode() in out["recommended"].numpy()[0].tolist()


def test_histories_know_the_new_items(tiny_shop, tmp_path):
    vocabulary = tiny_shop.graph.vocabulary_by_name("items")
    record = raw_history(
        item_ids=[NEW[0], vocabulary[4].decode(), "who knows", NEW[1]],
        timestamps=[1, 2, 3, 4],
        target_item_ids=[NEW[1]],
    )
    file = write_records(tmp_path / "h.gz", [record])
    histories = read_histories([file], tiny_shop.graph, NEW)
    np.testing.assert_array_equal(histories.columns["item"], [21, 5, 23, 22])
    np.testing.assert_array_equal(histories.targets, [22])
    plain = read_histories([file], tiny_shop.graph)
    np.testing.assert_array_equal(plain.columns["item"], [21, 5, 21, 21])


def test_cooccurrence_groups_items_that_occur_together(tiny_shop):
    histories = read_histories(tiny_shop.train, tiny_shop.graph)
    found = cooccurrence_features(histories, 20, "there are no texts", seed=1)
    assert found.known.shape == (22, 19)
    assert not found.known[[0, -1]].any()
    rows = found.known[1:-1]
    assert np.sqrt((rows**2).sum(1).mean()) == pytest.approx(SCALE, rel=1e-3)
    vocabulary = tiny_shop.graph.vocabulary_by_name("items")
    first = np.array([int(item[-3:]) < 10 for item in vocabulary])
    cosine = rows @ rows.T / np.linalg.norm(rows, axis=1) / np.linalg.norm(rows, axis=1)[:, None]
    np.fill_diagonal(cosine, np.nan)
    # No user walks on both circles.
    within = np.nanmean(cosine[first][:, first])
    assert within > np.nanmean(cosine[first][:, ~first]) + 0.1
    again = cooccurrence_features(histories, 20, "there are no texts", seed=1)
    np.testing.assert_array_equal(found.known, again.known)


def test_pair_counts_fall_with_distance_and_stay_within_a_user():
    item = np.array([1, 2, 3, 1, 4, 1], np.int32)
    nothing = np.zeros(3, np.int64)
    histories = Histories(
        {features.ITEM: item}, np.array([0, 4, 6]), item[:0], nothing, nothing[:2]
    )
    expected = np.zeros((3, 3))
    # First user 1 2 3 1: (1,2) at 1 and 2, (1,3) at 2 and 1, (2,3) at 1; item 4 is unknown.
    expected[0, 1] = expected[1, 0] = 1.5
    expected[0, 2] = expected[2, 0] = 1.5
    expected[1, 2] = expected[2, 1] = 1.0
    np.testing.assert_allclose(_counts(histories, 3).toarray(), expected)
