"""How often the items of the vocabulary occur in the training histories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow_transform as tft

from trainer.data import features
from trainer.data.item_popularity import count_items


def training_counts(
    files: Sequence[str], graph: tft.TFTransformOutput, new_items: Sequence[str] = ()
) -> npt.NDArray[np.int64]:
    """Counts the training events of every item that the models know.

    Args:
        files: GZIP TFRecords of the whole training histories. Not the clusters' splits, which
            repeat the beginning of a history in each of its pieces.
        graph: the Transform graph.
        new_items: items of the catalogue that no training history names.

    Returns:
        int64 [items]; `counts[i - 1]` belongs to item `i`.

    Raises:
        DataError: the histories hold no events.
    """
    popularity = count_items(files)
    count_of = dict(zip(popularity.item_ids, popularity.counts.tolist(), strict=True))
    vocabulary = graph.vocabulary_by_name(features.ITEM_VOCABULARY)
    counts = [count_of.get(item, 0) for item in vocabulary]
    return np.array(counts + [0] * len(new_items), np.int64)
