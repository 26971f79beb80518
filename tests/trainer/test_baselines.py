import numpy as np
import pytest

from trainer import baselines, repeats


def dense_rank(counts, history, target, own_first, exclude_seen):
    """The definition, spelled out with one score an item."""
    n = len(counts)
    if not 1 <= target <= n:
        return n + 1
    scores = [(0, 0, int(counts[i - 1])) for i in range(1, n + 1)]
    if own_first:
        for position, item in enumerate(history):
            if 1 <= item <= n:
                scores[item - 1] = (scores[item - 1][0] + 1, position, int(counts[item - 1]))
    seen = {i for i in history if exclude_seen} - {target}
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
    monkeypatch.setattr(baselines, "_EVENTS_PER_CHUNK", chunk)
    counts, flat, splits, targets = random_users()
    ranks = getattr(baselines, f"{name}_ranks")(counts, flat, splits, targets, exclude_seen)
    expected = [
        dense_rank(counts, flat[splits[u] : splits[u + 1]], targets[u], own_first, exclude_seen)
        for u in range(targets.size)
    ]
    np.testing.assert_array_equal(ranks, expected)


def test_own_items_by_count_then_recency_then_popularity():
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
    with pytest.raises(ValueError, match="2 row_splits do not fit 3 targets"):
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
    assert repeats.should_exclude_seen(0.049) and not repeats.should_exclude_seen(0.05)
