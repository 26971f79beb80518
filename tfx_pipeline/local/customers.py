"""Recommendations for a few customers, shown with what they bought before and next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfx_pipeline.serving.titled_recommender import TitledRecommender
from tfx_pipeline.terminal.console import Console
from trainer.raw_history import CLUSTER_ID, ITEM_IDS, NOISE, TARGET_ITEM_IDS, USER_ID

SHOWN_HISTORY = 6
SHOWN_ITEMS = 5
MIN_HISTORY = 5


def show_customers(model: Path, test_split: Path, count: int, console: Console) -> list[Any]:
    """Prints histories and recommendations of customers from the test split.

    Args:
        model: the SavedModel to ask.
        test_split: folder of the split's TFRecord files, with `cluster_id`.
        count: how many customers; of different clusters as far as there are.
        console: where to print.

    Returns:
        What was printed, for `metrics.json`: user, cluster, history, recommended, bought next.
    """
    if count == 0:
        return []
    recommender = TitledRecommender.of_model(model)
    shown: list[Any] = []
    for serialized, example in _choose(test_split, count):
        bought = _texts(example, ITEM_IDS)
        following = set(_texts(example, TARGET_ITEM_IDS))
        cluster = example.features.feature[CLUSTER_ID].int64_list.value[0]
        user = _texts(example, USER_ID)[0]
        name = "no cluster" if cluster == NOISE else f"cluster {cluster}"
        console.heading(f"Customer {user} ({name}, {len(bought)} events)")
        console.line("  before")
        for item in bought[-SHOWN_HISTORY:]:
            console.line(f"      {_name(recommender, item)}")
        console.line("  recommended")
        answers = recommender.for_example(serialized, SHOWN_ITEMS)
        for answer in answers:
            hit = "   <- bought next" if answer.item_id in following else ""
            console.line(f"    {answer.rank} {_name(recommender, answer.item_id)}{hit}")
        shown.append(
            {
                "user": user,
                "cluster": cluster,
                "before": bought[-SHOWN_HISTORY:],
                "recommended": [answer.item_id for answer in answers],
                "bought_next": sorted(following),
            }
        )
    return shown


def _choose(split: Path, count: int) -> list[tuple[bytes, Any]]:
    """The first customers with some history, each from another cluster while there are any."""
    first_of_cluster: dict[int, tuple[bytes, Any]] = {}
    others: list[tuple[bytes, Any]] = []
    for serialized, example in _examples(split):
        if len(_texts(example, ITEM_IDS)) < MIN_HISTORY:
            continue
        cluster = example.features.feature[CLUSTER_ID].int64_list.value[0]
        if cluster not in first_of_cluster:
            first_of_cluster[cluster] = (serialized, example)
        elif len(others) < count:
            others.append((serialized, example))
    by_cluster = [chosen for _, chosen in sorted(first_of_cluster.items())]
    return [*by_cluster, *others][:count]


def _examples(split: Path) -> Iterator[tuple[bytes, Any]]:
    import tensorflow as tf

    files = sorted(str(path) for path in split.glob("*.gz"))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield record, tf.train.Example.FromString(record)


def _texts(example: Any, feature: str) -> list[str]:
    values = example.features.feature[feature].bytes_list.value
    return [value.decode("utf-8", "replace") for value in values]


def _name(recommender: TitledRecommender, item: str) -> str:
    title = recommender.title(item)
    return f"{title}  [{item}]" if title else f"[{item}]"
