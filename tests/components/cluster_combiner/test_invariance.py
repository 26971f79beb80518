"""No figure depends on what items and users are called, or on how the file is sorted."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from components.cluster_combiner.counted import choose_counted, chosen_ranks
from tests.helpers.behavior_example_gen_runs import History, ingest, table
from tests.helpers.item_histories import histories
from trainer.data.histories import Histories
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import ITEM_TRANSITIONS
from trainer.evaluation.metrics import BASKET_PRIMARY, basket_values

pytestmark = pytest.mark.slow

DAY = 86_400
START = 1_600_000_000 // DAY * DAY
ITEMS = 40


def _log(seed: int = 3) -> list[tuple[int, int, int]]:
    """User, item and time: customers with a few favourites each, in baskets, sorted by item as a
    till writes them.
    """
    rng = np.random.default_rng(seed)
    popular = 1 / np.arange(1, ITEMS + 1)
    rows = set()
    for user in range(150):
        favourites = rng.choice(ITEMS, 4, replace=False, p=popular / popular.sum())
        for day in np.sort(rng.choice(60, 10, replace=False)):
            mine = rng.choice(favourites, rng.integers(1, 4), replace=False)
            others = rng.choice(ITEMS, rng.integers(0, 3), p=popular / popular.sum())
            rows |= {(user, int(item), START + int(day) * DAY + user) for item in (*mine, *others)}
    return sorted(rows, key=lambda row: (row[0], row[2], row[1]))


def _histories(examples: list[History], vocabulary: dict[str, int]) -> Histories:
    """As Transform numbers the items: the frequent first, then by name; unknown ones last."""
    unknown = len(vocabulary) + 1
    rows = [[vocabulary.get(item, unknown) for item in each["item_ids"]] for each in examples]
    held_out = [[vocabulary.get(i, unknown) for i in each["target_item_ids"]] for each in examples]
    found = histories(*rows, times=[each["timestamps"] for each in examples])
    splits = np.concatenate([[0], np.cumsum([len(items) for items in held_out])])
    targets = np.array([item for items in held_out for item in items], np.int32)
    return dataclasses.replace(found, targets=targets, target_splits=splits)


def _judged(folder: Path, rows: list[tuple[str, str, int]]) -> dict[str, tuple[str, float, float]]:
    """Kind of free baseline to its constants and NDCG@10 on validation and test, from a raw log."""
    folder.mkdir()
    splits = ingest(folder, table(rows), min_item_events=1).splits
    counts = Counter(item for each in splits["train"] for item in each["item_ids"])
    names = sorted(counts, key=lambda item: (-counts[item], item))
    vocabulary = {item: index + 1 for index, item in enumerate(names)}
    train, validation, test = (
        _histories(splits[name], vocabulary) for name in ("train", "validation", "test")
    )
    encoder = SimpleNamespace(catalogue=SimpleNamespace(items=len(names)), exclude_seen=False)
    selection = choose_counted(train, validation, encoder, seed=1)
    baskets = Baskets.of(test, len(names), False)
    ranks = chosen_ranks(selection.chosen, test, baskets, False)
    return {
        kind: (
            str(chosen.constants),
            chosen.value,
            float(np.nanmean(basket_values(ranks[kind].held_out, baskets.splits, BASKET_PRIMARY))),
        )
        for kind, chosen in selection.chosen.items()
    }


def test_a_renamed_and_shuffled_log_chooses_and_measures_the_same(tmp_path: Path) -> None:
    """Every item and user gets another name, the file another order, and each basket too."""
    log = _log()
    rng = np.random.default_rng(4)
    items, users = rng.permutation(ITEMS), rng.permutation(150)
    first = _judged(tmp_path / "first", [(f"u{u:03d}", f"i{i:02d}", t) for u, i, t in log])
    other = [(f"k{users[u]:03d}", f"x{items[i]:02d}", t) for u, i, t in log]
    second = _judged(tmp_path / "second", [other[row] for row in rng.permutation(len(other))])
    assert first.keys() == second.keys()
    for kind, (constants, *figures) in first.items():
        assert second[kind][0] == constants, kind
        # Item transitions read the events one by one, in an order that a hash of each event draws.
        tolerance = 0.02 if kind == ITEM_TRANSITIONS else 1e-9
        assert second[kind][1:] == pytest.approx(figures, abs=tolerance), kind
