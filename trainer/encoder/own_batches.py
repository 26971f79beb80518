"""Own items of many histories, summarised some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.data.encoder_inputs import OWN_COLUMNS, padded_length
from trainer.data.histories import Histories
from trainer.data.windows import padded_columns, window
from trainer.encoder.own_items import OwnItems, summarise
from trainer.graphs import graph_of_any_rows

_AT_ONCE = 128


def own_batches(
    histories: Histories,
    starts: npt.NDArray[np.integer],
    ends: npt.NDArray[np.integer],
    own_events: int,
) -> Iterator[tuple[slice, OwnItems]]:
    """Summarises the own items of slices of the event columns.

    Args:
        histories: whose events.
        starts: integers [prefixes], first event of each.
        ends: integers [prefixes], one past its last event.
        own_events: window of the user's own items, at least 1.

    Yields:
        Which prefixes, and their own items.
    """
    columns = padded_columns({name: histories.columns[c] for name, c in OWN_COLUMNS.items()})

    def read(first: tf.Tensor, end: tf.Tensor, length: tf.Tensor) -> OwnItems:
        return summarise(*(window(columns[name], first, end, length) for name in OWN_COLUMNS))

    graph = graph_of_any_rows(read)
    lengths = padded_length(ends - starts, own_events)
    for begin in range(0, len(starts), _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        longest = tf.constant(lengths[rows].max(), tf.int32)
        prefix = (tf.constant(starts[rows], tf.int32), tf.constant(ends[rows], tf.int32))
        yield rows, graph(*prefix, longest)
