import numpy as np
import pytest
import tensorflow as tf

from trainer.data import repeats
from trainer.evaluation import baselines
from trainer.evaluation.baselines import served_ranks
from trainer.serving.baseline_recommender import BaselineRecommender, export_baseline


def dense_rank(counts, history, target, own_first, exclude_seen):
    """The definition, spelled out with one score an item."""
    n = len(counts)
    if not 1 <= target <= n:
        return n + 1
    own = [int((history == i).sum()) if own_first else 0 for i in range(1, n + 1)]
    scores = list(zip(own, counts.tolist(), strict=True))
    seen = {i for i in history if exclude_seen}
    if target in seen:
        return n + 1
    better = sum(
        1
        for i in range(1, n + 1)
        if i not in seen
        and (
            scores[i - 1] > scores[target - 1]
            or (scores[i - 1] == scores[target - 1] and i < target)
        )
    )
    return 1 + better


def random_users(users=200, n_items=30, seed=0):
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 15, size=users)
    splits = np.concatenate([[0], np.cumsum(lengths)])
    # 0 is padding and n_items + 1 … are unknown items: both must be ignored.
    flat = generator.integers(0, n_items + 4, size=splits[-1])
    targets = generator.integers(0, n_items + 3, size=users)
    counts = generator.integers(0, 6, size=n_items)
    return counts, flat, splits, targets


@pytest.mark.parametrize("chunk", [1, 50, 10_000])
@pytest.mark.parametrize(
    ("name", "own_first", "exclude_seen"),
    [("popularity", False, False), ("popularity", False, True), ("own_items", True, False)],
)
def test_ranks_follow_the_definition(monkeypatch, chunk, name, own_first, exclude_seen):
    monkeypatch.setattr(served_ranks, "_USERS_PER_CHUNK", chunk)
    counts, flat, splits, targets = random_users()
    ranks = getattr(baselines, f"{name}_ranks")(counts, flat, splits, targets, exclude_seen)
    expected = [
        dense_rank(counts, flat[splits[u] : splits[u + 1]], targets[u], own_first, exclude_seen)
        for u in range(targets.size)
    ]
    np.testing.assert_array_equal(ranks, expected)


@pytest.mark.parametrize("chunk", [1, 50, 10_000])
@pytest.mark.parametrize(
    ("name", "own_first", "exclude_seen"),
    [("popularity", False, False), ("popularity", False, True), ("own_items", True, False)],
)
def test_all_targets_of_a_user_are_ranked_in_one_list(
    monkeypatch, chunk, name, own_first, exclude_seen
):
    monkeypatch.setattr(served_ranks, "_USERS_PER_CHUNK", chunk)
    counts, flat, splits, _ = random_users(users=80, seed=7)
    generator = np.random.default_rng(8)
    target_splits = np.concatenate([[0], np.cumsum(generator.integers(0, 9, size=80))])
    targets = generator.integers(0, counts.size + 3, size=target_splits[-1])
    ranks = getattr(baselines, f"{name}_ranks")(
        counts, flat, splits, targets, exclude_seen, target_splits
    )
    expected = [
        dense_rank(counts, flat[splits[u] : splits[u + 1]], target, own_first, exclude_seen)
        for u in range(80)
        for target in targets[target_splits[u] : target_splits[u + 1]]
    ]
    np.testing.assert_array_equal(ranks, expected)


def test_own_items_by_count_then_popularity_then_all_others():
    counts = np.array([9, 8, 7, 6])
    history, splits = np.array([4, 3, 4, 2]), np.array([0, 4])
    ranks = [
        int(baselines.own_items_ranks(counts, history, splits, np.array([target]))[0])
        for target in (4, 2, 3, 1)
    ]
    assert ranks == [1, 2, 3, 4]


def test_own_items_without_seen_items_is_popularity():
    counts, flat, splits, targets = random_users(seed=5)
    np.testing.assert_array_equal(
        baselines.own_items_ranks(counts, flat, splits, targets, exclude_seen=True),
        baselines.popularity_ranks(counts, flat, splits, targets, exclude_seen=True),
    )


def test_item_counts_ignore_padding_and_unknown_items():
    np.testing.assert_array_equal(
        baselines.item_counts(np.array([0, 1, 3, 3, 4, 9]), 3), np.array([1, 0, 2])
    )


def test_no_users_and_mismatched_users():
    none = baselines.own_items_ranks(
        np.array([1]), np.zeros(0, int), np.zeros(1, int), np.zeros(0, int)
    )
    assert none.size == 0
    with pytest.raises(ValueError, match="2 row_splits do not fit the targets of 3 users"):
        baselines.popularity_ranks(np.array([1]), np.zeros(0, int), np.zeros(2, int), np.zeros(3))


def test_repeat_share():
    # Of the three events that are not their user's first, one brings an item again.
    flat, splits = np.array(["a", "b", "a", "c", "a", "b"]), np.array([0, 3, 3, 4, 6])
    assert repeats.repeat_share(flat, splits) == pytest.approx(1 / 3)
    assert repeats.count_repeats(flat, splits) == (1, 3)
    assert repeats.repeat_share(np.array([1, 2]), np.array([0, 1, 2])) == 0.0
    assert repeats.repeat_share(np.zeros(0, int), np.array([0])) == 0.0
    with pytest.raises(ValueError, match="row_splits must run from 0"):
        repeats.repeat_share(np.array([1, 2]), np.array([0, 1]))


def test_seen_items_are_excluded_where_nobody_buys_again():
    assert repeats.should_exclude_seen(0.049)
    assert not repeats.should_exclude_seen(0.05)


def example(history, targets=()):
    feature = {
        "item_ids": tf.train.Feature(bytes_list=tf.train.BytesList(value=history)),
        "target_item_ids": tf.train.Feature(bytes_list=tf.train.BytesList(value=targets)),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def item_name(index):
    return f"item {index}".encode()


@pytest.fixture(scope="module", params=["popularity", "own_items", "unseen popularity"])
def exported(request, tmp_path_factory):
    counts, flat, splits, targets = random_users(users=64, n_items=40, seed=3)
    counts = np.sort(counts)[::-1]
    own_first, exclude_seen = request.param == "own_items", request.param.startswith("unseen")
    model = BaselineRecommender(
        [item_name(i + 1) for i in range(counts.size)], counts, own_first, exclude_seen, top_k=6
    )
    path = str(tmp_path_factory.mktemp("baseline"))
    export_baseline(model, path, "test")
    return path, (counts, flat, splits, targets, own_first, exclude_seen)


def test_exported_ranks_and_lists_follow_the_definition(exported):
    path, (counts, flat, splits, targets, own_first, exclude_seen) = exported
    signatures = tf.saved_model.load(path).signatures
    histories = [flat[splits[u] : splits[u + 1]] for u in range(targets.size)]
    examples = [
        example([item_name(i) for i in history], [item_name(target), b"second in the basket"])
        for history, target in zip(histories, targets, strict=True)
    ]
    outputs = signatures["evaluate"](tf.constant(examples))
    rank = baselines.own_items_ranks if own_first else baselines.popularity_ranks
    expected = rank(counts, flat, splits, targets, exclude_seen)
    np.testing.assert_array_equal(outputs["rank"], expected.astype(np.float32))
    np.testing.assert_array_equal(outputs["catalogue_size"], np.full(targets.size, counts.size))

    served = signatures["serving_default"](tf.constant(examples))
    assert served["item_ids"].shape == (targets.size, 6)
    for user, history in enumerate(histories):
        all_ranks = {
            i: dense_rank(counts, history, i, own_first, exclude_seen)
            for i in range(1, counts.size + 1)
            if not (exclude_seen and i in history)
        }
        best = [item_name(i) for i in sorted(all_ranks, key=all_ranks.__getitem__)]
        assert outputs["recommended"][user].numpy().tolist() == best[:20]
        assert served["item_ids"][user].numpy().tolist() == best[:6]
    assert np.all(np.diff(served["scores"].numpy()) <= 0)


def test_all_signatures_of_the_contract(exported):
    signatures = tf.saved_model.load(exported[0]).signatures
    exclude_seen = exported[1][-1]
    shelves = set() if exclude_seen else {"recommend_own", "recommend_new"}
    assert set(signatures) == {"serving_default", "recommend", "embed", "evaluate"} | shelves
    history = [b"item 3", b"item 3", b"item 9"]
    by_example = signatures["serving_default"](tf.constant([example(history)]))
    by_columns = signatures["recommend"](
        item_ids=tf.constant([[*history, b""]]),
        actions=tf.constant([[b"view", b"never seen", b"", b""]]),
        timestamps=tf.constant([[1, 2, 3, 0]], tf.int64),
    )
    assert set(by_example) == {"item_ids", "scores", "cluster_id", "cluster_weights"}
    for name, value in by_example.items():
        np.testing.assert_array_equal(value, by_columns[name])
    assert by_example["cluster_id"].dtype == tf.int64
    np.testing.assert_array_equal(by_example["cluster_weights"], [[1.0]])
    embedding = signatures["embed"](tf.constant([example(history)] * 2))
    assert embedding["embedding"].shape == (2, 1)
    assert embedding["embedding"].dtype == tf.float32


def test_the_shelves_part_what_is_ranked(exported):
    path, (counts, flat, splits, targets, own_first, exclude_seen) = exported
    if exclude_seen:
        pytest.skip("all that is listed is new")
    signatures = tf.saved_model.load(path).signatures
    for user in range(targets.size):
        history = flat[splits[user] : splits[user + 1]]
        ids = [item_name(i) for i in history] + [b"unknown", b""]
        columns = {
            "item_ids": tf.constant([ids]),
            "actions": tf.constant([["view"] * len(ids)]),
            "timestamps": tf.zeros([1, len(ids)], tf.int64),
        }
        rank = {i: dense_rank(counts, history, i, own_first, False) for i in range(1, 41)}
        best = sorted(rank, key=rank.__getitem__)
        for name, listed in (
            ("recommend_own", [i for i in best if i in history]),
            ("recommend_new", [i for i in best if i not in history]),
        ):
            out = signatures[name](**columns)
            names = [item_name(i) for i in listed[:6]]
            assert out["item_ids"][0].numpy().tolist() == names + [b""] * (6 - len(names))
            scores = out["scores"][0].numpy()
            assert np.all(np.diff(scores) <= 0)
            share = counts[np.array(listed[:6], int) - 1] / (counts[0] + 1)
            times = [np.sum(history == i) * own_first for i in listed[:6]]
            np.testing.assert_allclose(scores[: len(names)], share + times, rtol=1e-5)


def test_odd_requests_get_recommendations(exported):
    signatures = tf.saved_model.load(exported[0]).signatures
    none = signatures["serving_default"](tf.constant([], tf.string))
    assert none["item_ids"].shape == (0, 6)
    odd = signatures["serving_default"](
        tf.constant(
            [example([]), example([b"unknown", b""]), tf.train.Example().SerializeToString()]
        )
    )
    np.testing.assert_array_equal(odd["item_ids"], [[item_name(i) for i in range(1, 7)]] * 3)
    outputs = signatures["evaluate"](tf.constant([example([b"item 1"]), example([], [b"unknown"])]))
    np.testing.assert_array_equal(outputs["rank"], [0.0, 41.0])


def test_tiny_catalogue_is_padded():
    model = BaselineRecommender([b"a", b"b"], np.array([2, 1]), False, True, top_k=3)
    served = model.serving_default(tf.constant([example([b"a"])]))
    np.testing.assert_array_equal(served["item_ids"], [[b"b", b"", b""]])
    np.testing.assert_allclose(served["scores"], [[1 / 3, 0, 0]])


def test_a_baseline_needs_items_in_order():
    with pytest.raises(ValueError, match="0 items"):
        BaselineRecommender([], np.zeros(0, int), True, False, 5)
    with pytest.raises(ValueError, match="most popular first"):
        BaselineRecommender([b"a", b"b"], np.array([1, 2]), True, False, 5)
    with pytest.raises(ValueError, match="cannot come first"):
        BaselineRecommender([b"a"], np.array([1]), True, True, 5)
