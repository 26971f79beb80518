"""The recommenders that need counting only: chosen, ranked, and handed on as opponent.

The best of each kind is compared with the models. The best of all of them is what a model has to
beat to be pushed (`components.gates`): its lists travel with the test users' examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.cluster_combiner.comparison import Ranks
from components.cluster_combiner.record import CountedRecord, Measured
from trainer.data import features
from trainer.data.histories import Histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.evaluation.baselines.selection import (
    ChosenBaseline,
    HeldOut,
    Measure,
    Selection,
    choose_baselines,
)
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import title
from trainer.evaluation.metrics import BASKET_PRIMARY, basket_values
from trainer.evaluation.peers.selection import TrainedPeer
from trainer.evaluation.shelf_targets import ShelfTargets
from trainer.progress import progress
from trainer.raw_history import FREE_ITEM_IDS

LIST_LENGTH = 20
"""Items that the opponent recommends to each user; NDCG@10 reads ten of them."""
_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP")


def primary_measure(items: int) -> Measure:
    """NDCG@10 of everything that each user took next.

    Args:
        items: size of the catalogue; a rank above it stands for an item that no list can hold.
    """

    def ndcg(ranks: np.ndarray, splits: np.ndarray) -> np.ndarray:
        # "Behind everything" is among the first ten of a small catalogue.
        return basket_values(np.where(ranks > items, 0, ranks), splits, BASKET_PRIMARY)

    return ndcg


def held_out_of(validation: Histories, encoder: BehaviorEncoder) -> HeldOut:
    """What the users took next, as the baselines and the peers are chosen by it."""
    baskets = Baskets.of(validation, encoder.catalogue.items, encoder.exclude_seen)
    return HeldOut(validation, baskets.items, baskets.splits)


def choose_counted(
    training: Histories, validation: Histories, encoder: BehaviorEncoder, seed: int
) -> Selection:
    """The best of each kind by NDCG@10 of everything that the validation users took next.

    Args:
        training: whole training histories.
        validation: with what is held out.
        encoder: whose catalogue is ranked, with or without items that a user has seen.
        seed: of all draws.
    """
    items = encoder.catalogue.items
    found = choose_baselines(
        training,
        held_out_of(validation, encoder),
        items,
        primary_measure(items),
        encoder.exclude_seen,
        seed,
    )
    best = found.best
    progress.info(
        "best free baseline: %s (%s), validation NDCG@10 %.4f",
        title(best.baseline.kind),
        best.constants,
        best.value,
    )
    return found


def chosen_ranks(
    chosen: Mapping[str, ChosenBaseline | TrainedPeer],
    histories: Histories,
    baskets: Baskets,
    exclude_seen: bool,
) -> dict[str, Ranks]:
    """What each chosen baseline or peer does for the users of a split, by its key.

    Args:
        chosen: by key.
        histories: of the users.
        baskets: what they took next.
        exclude_seen: items of the histories are left out of the ranking.
    """
    has_next = np.concatenate([[0], np.cumsum(histories.next_item > 0)])
    next_items = histories.next_item[histories.next_item > 0]
    shelves = None if exclude_seen else ShelfTargets.of(histories, baskets)
    found = {}
    for kind, recommender in chosen.items():
        next_item = np.zeros(len(histories), np.int64)
        next_item[histories.next_item > 0] = recommender.ranks(
            histories, next_items, has_next, exclude_seen
        )
        if shelves is None:
            held_out = recommender.ranks(histories, baskets.items, baskets.splits, exclude_seen)
            found[kind] = Ranks(next_item, np.where(held_out > baskets.catalogue, 0, held_out))
        else:
            ranks = recommender.ranks(histories, shelves.targets, shelves.splits)
            found[kind] = Ranks(next_item, *shelves.ranks(ranks))
    return found


def counted_record(selection: Selection) -> CountedRecord:
    """What was chosen, for `comparison.json`."""
    return CountedRecord(
        opponent=selection.best.baseline.kind,
        chosen={kind: measured(chosen) for kind, chosen in selection.chosen.items()},
        left_out=selection.left_out,
    )


def measured(chosen: ChosenBaseline | TrainedPeer) -> Measured:
    """One kind with its best constants."""
    return Measured(constants=str(chosen.constants), validation=chosen.value, tried=chosen.tried)


def write_opponent(
    opponent: ChosenBaseline,
    files: Sequence[str],
    histories: Histories,
    encoder: BehaviorEncoder,
    graph: tft.TFTransformOutput,
    folder: str,
) -> None:
    """Copies examples and adds what the opponent recommends, as the feature `free_item_ids`.

    Args:
        opponent: the best free baseline.
        files: GZIP TFRecords of the users.
        histories: read from these files, in their order.
        encoder: whose catalogue is ranked.
        graph: the Transform graph, for the items' ids.
        folder: of the split that is written, one file for each of `files`.

    Raises:
        ValueError: files and histories hold different numbers of users.
    """
    ids = [b"", *graph.vocabulary_by_name(features.ITEM_VOCABULARY)]
    ids += [tf.compat.as_bytes(item) for item in encoder.new_items]
    lists = opponent.lists(histories, LIST_LENGTH, encoder.exclude_seen)
    user = 0
    tf.io.gfile.makedirs(folder)
    for path in sorted(files):
        with tf.io.TFRecordWriter(f"{folder}/{PurePath(path).name}", _OPTIONS) as writer:
            for record in tf.data.TFRecordDataset(path, compression_type="GZIP"):
                example = tf.train.Example.FromString(record.numpy())
                if user < len(lists):
                    listed = [ids[item] for item in lists[user].tolist() if item]
                    example.features.feature[FREE_ITEM_IDS].bytes_list.value.extend(listed)
                user += 1
                writer.write(example.SerializeToString(deterministic=True))
    if user != len(lists):
        raise ValueError(f"{user} examples do not fit the histories of {len(lists)} users")
