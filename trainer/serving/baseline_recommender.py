"""The free baselines as a SavedModel with the same signatures as the real model.

Whatever is pushed or compared looks the same from outside, so the Evaluator can put a baseline
beside a candidate, and a shop can serve one. Only stock ops are used. The graph never builds a
score for every item: own items come from the history, the rest from the head of the popularity
list, so a request costs the same whatever the size of the catalogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer import raw_history
from trainer.data.request_checks import same_shape
from trainer.graphs import graph_function
from trainer.serving.own_counts import OwnCounts
from trainer.shelves import ALL, NEW, OWN, SIGNATURES, Shelf
from trainer.uri_files import write_json

EVALUATED_LIST = 20
"""Length of `recommended` in the `evaluate` signature, for coverage@20."""
FREE = "free"
"""Output of `evaluate` that no trained model has: a candidate must be better than this one."""

_COLUMNS = [
    tf.TensorSpec([None, None], tf.string, name="item_ids"),
    tf.TensorSpec([None, None], tf.string, name="actions"),
    tf.TensorSpec([None, None], tf.int64, name="timestamps"),
]


class BaselineRecommender(tf.Module):
    """Own items by frequency, then popularity; or popularity alone.

    The item ids are bytes; items are numbered 0 … n - 1 in the order of their popularity.
    """

    def __init__(
        self,
        item_ids: Sequence[bytes],
        counts: npt.NDArray[np.integer],
        own_first: bool,
        exclude_seen: bool,
        top_k: int,
    ):
        """Holds the popularity list.

        Args:
            item_ids: all items, the most popular first.
            counts: integers [n], training events of each, not increasing.
            own_first: rank the items of the history first, by their number of events there.
            exclude_seen: leave the items of the history out. Excludes `own_first`.
            top_k: length of the lists that are served; shorter catalogues are padded with "".

        Raises:
            ValueError: no items, counts out of order, or both switches on.
        """
        super().__init__()
        if not item_ids or len(item_ids) != len(counts):
            raise ValueError(f"{len(item_ids)} items do not fit {len(counts)} counts")
        if np.any(np.diff(counts) > 0):
            raise ValueError("items must be ordered by count, the most popular first")
        if own_first and exclude_seen:
            raise ValueError("own items cannot come first where seen items are left out")
        self._own_first, self._exclude_seen, self._top_k = own_first, exclude_seen, top_k
        self._n = len(item_ids)
        self._item_ids = tf.constant(list(item_ids), tf.string)
        # Below 1, so that one event of the user's own outweighs any popularity.
        self._share = tf.constant(np.asarray(counts) / (int(counts[0]) + 1.0), tf.float32)
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                self._item_ids, tf.range(self._n, dtype=tf.int64), tf.string, tf.int64
            ),
            default_value=-1,
        )

    @graph_function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serving_default(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Recommendations for serialized raw histories, string [batch]."""
        return self._serve(_parse(examples, raw_history.ITEM_IDS))

    @graph_function(input_signature=_COLUMNS)
    def recommend(
        self, item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Recommendations for dense histories [batch, length], padded at the end with ""."""
        return self._serve(_present(item_ids, actions, timestamps))

    @graph_function(input_signature=_COLUMNS)
    def recommend_own(
        self, item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `recommend`, items of the history only."""
        return self._serve(_present(item_ids, actions, timestamps), OWN)

    @graph_function(input_signature=_COLUMNS)
    def recommend_new(
        self, item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `recommend`, without the items of the history."""
        return self._serve(_present(item_ids, actions, timestamps), NEW)

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """The functions to save; the shelves too, where items of the history may be listed."""
        of_shelf = {ALL: self.recommend, OWN: self.recommend_own, NEW: self.recommend_new}
        if self._exclude_seen:
            of_shelf = {ALL: self.recommend}
        return {
            "serving_default": self.serving_default,
            "embed": self.embed,
            "evaluate": self.evaluate,
            **{SIGNATURES[shelf]: function for shelf, function in of_shelf.items()},
        }

    @graph_function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def embed(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """A constant: these models know no representation of a user and no clusters."""
        batch = tf.shape(examples)[0]
        return {"embedding": tf.zeros([batch, 1])} | _no_clusters(batch)

    @graph_function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Rank of the first target of each history, and what would be recommended."""
        history = self._own_items(_parse(examples, raw_history.ITEM_IDS))
        targets = _parse(examples, raw_history.TARGET_ITEM_IDS)
        first = targets[:, :1].to_tensor("", shape=[None, 1])[:, 0]
        rank = tf.where(targets.row_lengths() > 0, self._rank(history, self._table[first]), 0)
        recommended, _ = self._recommend(history, EVALUATED_LIST)
        return {
            "rank": tf.cast(rank, tf.float32),
            "recommended": recommended,
            "catalogue_size": tf.fill([tf.shape(examples)[0]], tf.constant(self._n, tf.int64)),
            FREE: tf.ones([tf.shape(examples)[0]], tf.int64),
        }

    def fingerprint(self) -> str:
        """Hash of all that is served: the items, their order and counts, and the settings."""
        digest = hashlib.sha256(b"\0".join(self._item_ids.numpy()))
        digest.update(self._share.numpy().tobytes())
        digest.update(repr((self._own_first, self._exclude_seen, self._top_k)).encode())
        return digest.hexdigest()[:16]

    def _serve(self, item_ids: tf.RaggedTensor, shelf: Shelf = ALL) -> dict[str, tf.Tensor]:
        items, scores = self._recommend(self._own_items(item_ids), self._top_k, shelf)
        return {"item_ids": items, "scores": scores} | _no_clusters(tf.shape(items)[0])

    def _own_items(self, item_ids: tf.RaggedTensor) -> OwnCounts:
        """Distinct known items of each history, the most frequent (then popular) first."""
        items = self._table[item_ids.flat_values]
        known = items >= 0
        rows = tf.boolean_mask(item_ids.value_rowids(), known)
        pairs, _, counts = tf.unique_with_counts(
            rows * self._n + tf.boolean_mask(items, known), out_idx=tf.int64
        )
        row, item = pairs // self._n, pairs % self._n
        most = tf.reduce_max(tf.concat([counts, [0]], axis=0))
        order = tf.argsort((row * (most + 1) + most - counts) * self._n + item)
        return OwnCounts(
            batch=item_ids.nrows(),
            row=tf.gather(row, order),
            item=tf.gather(item, order),
            count=tf.gather(counts, order),
        )

    def _rank(self, own: OwnCounts, target: tf.Tensor) -> tf.Tensor:
        """int64 [batch]: place of each target, counted from 1; n + 1 if unknown or left out."""
        rank = target + 1
        wanted = tf.gather(target, own.row)
        if self._own_first:
            own_count = own.sum_rows(tf.where(own.item == wanted, own.count, 0))
            wanted_count = tf.gather(own_count, own.row)
            stronger = (own.count > wanted_count) | (
                (own.count == wanted_count) & (own.item < wanted)
            )
            rank = tf.where(
                own_count > 0,
                1 + own.sum_rows(tf.cast(stronger, tf.int64)),
                rank + own.sum_rows(tf.cast(own.item > wanted, tf.int64)),
            )
        elif self._exclude_seen:
            seen = own.sum_rows(tf.cast(own.item == wanted, tf.int64)) > 0
            rank -= own.sum_rows(tf.cast(own.item < wanted, tf.int64))
            rank = tf.where(seen, tf.constant(self._n + 1, tf.int64), rank)
        return tf.where(target < 0, tf.constant(self._n + 1, tf.int64), rank)

    def _recommend(self, own: OwnCounts, k: int, shelf: Shelf = ALL) -> tuple[tf.Tensor, tf.Tensor]:
        """Best k items [batch, k] as strings, and their scores; "" and 0 where there are none."""
        parts = []
        if shelf == OWN or (shelf == ALL and self._own_first):
            parts.append(self._own_list(own))
        if shelf != OWN:
            left_out = shelf == NEW or self._own_first or self._exclude_seen
            parts.append(self._popular_list(own, k, left_out))
        candidates, scores = (tf.concat(part, axis=1) for part in zip(*parts, strict=True))
        candidates = tf.pad(candidates, [[0, 0], [0, k]], constant_values=-1)
        scores = tf.pad(scores, [[0, 0], [0, k]])
        # Candidates stand in the right order already: take the first k that are items.
        places = tf.range(tf.shape(candidates)[1])[tf.newaxis]
        _, chosen = tf.math.top_k(tf.where(candidates >= 0, -places, tf.int32.min), k)
        items = tf.gather(candidates, chosen, batch_dims=1)
        found = items >= 0
        names = tf.gather(self._item_ids, tf.maximum(items, 0))
        chosen_scores = tf.gather(scores, chosen, batch_dims=1)
        return tf.where(found, names, ""), tf.where(found, chosen_scores, 0.0)

    def _own_list(self, own: OwnCounts) -> tuple[tf.Tensor, tf.Tensor]:
        """Own items in their order, -1 = none, and scores, [batch, most own items]."""
        share = tf.gather(self._share, own.item)
        if self._own_first:
            scores = tf.cast(own.count, tf.float32) + share
            return own.to_dense(own.item, -1), own.to_dense(scores, 0.0)
        # By popularity, which is how items are numbered.
        items = tf.sort(own.to_dense(own.item, self._n), axis=1)
        none = items == self._n
        scores = tf.gather(self._share, tf.where(none, tf.zeros_like(items), items))
        return tf.where(none, tf.constant(-1, tf.int64), items), scores

    def _popular_list(self, own: OwnCounts, k: int, left_out: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Popular items, -1 in the places of own ones if these are left out, and scores."""
        widest = tf.reduce_max(tf.concat([own.sum_rows(tf.ones_like(own.row)), [0]], axis=0))
        # Of this many popular items at least k are not the user's own.
        head = tf.minimum(tf.constant(self._n, tf.int64), k + widest)
        popular = tf.broadcast_to(tf.range(head)[tf.newaxis], [own.batch, head])
        scores = tf.gather(self._share, popular)
        if left_out:
            within = own.item < head
            seen = tf.scatter_nd(
                tf.boolean_mask(tf.stack([own.row, own.item], axis=1), within),
                tf.ones_like(tf.boolean_mask(own.item, within)),
                tf.stack([own.batch, head]),
            )
            popular = tf.where(seen > 0, tf.constant(-1, tf.int64), popular)
        return popular, scores


def export_baseline(model: BaselineRecommender, directory: str, kind: str) -> None:
    """Writes the SavedModel and `assets.extra/model.json`.

    Args:
        model: the baseline.
        directory: where the SavedModel goes.
        kind: "popularity" or "own_items", for `model.json`.
    """
    tf.saved_model.save(model, directory, signatures=model.signatures())
    description = {"id": f"{kind}-{model.fingerprint()}", "kind": kind}
    write_json(f"{directory}/assets.extra/model.json", description)


def _parse(examples: tf.Tensor, feature: str) -> tf.RaggedTensor:
    """One string feature of serialized tf.Examples, ragged [batch, (values)]."""
    column = tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64)
    return tf.io.parse_example(examples, {feature: column})[feature]


def _present(item_ids: tf.Tensor, actions: tf.Tensor, timestamps: tf.Tensor) -> tf.RaggedTensor:
    """The items of padded columns, ragged [batch, (items)]."""
    # Actions and times are part of the contract; these baselines need neither.
    item_ids, _, _ = same_shape(item_ids, actions, timestamps)
    return tf.ragged.boolean_mask(item_ids, tf.not_equal(item_ids, ""))


def _no_clusters(batch: tf.Tensor) -> dict[str, tf.Tensor]:
    return {
        "cluster_id": tf.zeros([batch], tf.int64),
        "cluster_weights": tf.ones([batch, 1]),
    }
