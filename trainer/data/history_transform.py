"""Transform, and the indices of catalogue items that the training log never named.

Transform's vocabulary holds the items of the training histories. Items beyond it that the model
knows from their content get the indices behind the vocabulary; out of vocabulary comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import tensorflow as tf
import tensorflow_transform as tft

from trainer import raw_history
from trainer.data import features
from trainer.data.request_checks import one_value_for_each_item
from trainer.graphs import graph_function

_ITEMS = ((features.ITEM, raw_history.ITEM_IDS), (features.TARGET, raw_history.TARGET_ITEM_IDS))


class HistoryTransform(tf.Module):
    """Raw histories to event features; the same object trains, evaluates and serves.

    Args:
        graph: the Transform graph.
        new_items: ids of items beyond its vocabulary, in the order of their indices.
    """

    def __init__(self, graph: tft.TFTransformOutput, new_items: Sequence[str] = ()) -> None:
        super().__init__(name="history_transform")
        # Not Transform's own Keras layer: with that, TensorFlow rewrites and traces Keras' code
        # whenever a model is saved, which took a fifth of a small training.
        self._transform = tf.saved_model.load(graph.transform_savedmodel_dir)
        self.spec = {
            name: tf.io.VarLenFeature(feature.dtype)
            for name, feature in graph.raw_feature_spec().items()
        }
        """How a raw history is parsed: every feature of variable length, so that any may be
        missing."""
        vocabulary = graph.vocabulary_by_name(features.ITEM_VOCABULARY)
        self.item_ids = [*vocabulary, *(item.encode() for item in new_items)]
        """Item ids by index, bytes; the first one has index 1."""
        self._outside = len(vocabulary) + 1
        self._new: tf.lookup.StaticHashTable | None = None
        if new_items:
            places = tf.range(self._outside, self._outside + len(new_items), dtype=tf.int64)
            keys = tf.constant(list(new_items), tf.string)
            self._new = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(keys, places),
                default_value=self._outside + len(new_items),
            )

        self.parse = graph_function(
            self._parse, input_signature=[tf.TensorSpec([None], tf.string, name="examples")]
        )
        """Transformed features of serialized raw histories, string [batch]; one graph for all.

        Raises:
            tf.errors.InvalidArgumentError: when run, a feature has neither one value for each item
                nor none.
        """

    @classmethod
    def of(cls, graph: tft.TFTransformOutput, new_items: Sequence[str] = ()) -> HistoryTransform:
        """The one of a graph and its new items: loaded and traced once, whoever asks for it."""
        made = _MADE.setdefault(graph, {})
        key = tuple(new_items)
        if key not in made:
            made[key] = cls(graph, new_items)
        return made[key]

    def _parse(self, examples: tf.Tensor) -> dict[str, tf.SparseTensor]:
        return self(one_value_for_each_item(tf.io.parse_example(examples, self.spec)))

    def __call__(self, raw: dict[str, tf.SparseTensor]) -> dict[str, tf.SparseTensor]:
        """What `trainer.preprocessing.preprocessing_fn` returns, with the indices of new items."""
        out: dict[str, tf.SparseTensor] = self._transform.transform_fn(raw)
        if self._new is not None:
            for name, ids in _ITEMS:
                index = out[name]
                found = tf.where(
                    index.values < self._outside, index.values, self._new.lookup(raw[ids].values)
                )
                out[name] = tf.SparseTensor(index.indices, found, index.dense_shape)
        return out


_MADE: WeakKeyDictionary[tft.TFTransformOutput, dict[tuple[str, ...], HistoryTransform]] = (
    WeakKeyDictionary()
)
