"""What an encoder reads: the latest events of histories, cut from flat columns."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.data import features
from trainer.data.windows import window_places

OWN_ITEM = "own_item"
"""Input int32 [batch, own]: the user's own items, newest first."""
OWN_TIME = "own_time"
"""Input int64 [batch, own]: epoch seconds of the same events."""
OWN_ACTION = "own_action"
"""Input int32 [batch, own]: what was done in the same events, see `features.ACTION`."""
OWN_COLUMNS = {OWN_ITEM: features.ITEM, OWN_TIME: features.TIME, OWN_ACTION: features.ACTION}
"""The inputs of the user's own items, and the event columns that they are cut from."""
ASKED = "asked"
"""Input float32 [batch]: 1 where a target action is asked for, 0 where any event is. Without it the
former: that is what a model with target actions is served for."""
SEEN_LIMIT = 4096
"""How many of the latest events' items may be excluded as seen."""
WINDOW_LENGTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)
"""Windows are padded to the next of these lengths: few shapes, little padding."""


def padded_length(lengths: np.ndarray, limit: int) -> np.ndarray:
    """The window length that each history is padded to, at most `limit`."""
    steps = np.array([*(s for s in WINDOW_LENGTHS if s < limit), limit])
    return steps[np.searchsorted(steps, np.minimum(lengths, limit))]


def cut_inputs(
    columns: dict[str, tf.Tensor],
    starts: tf.Tensor,
    ends: tf.Tensor,
    length: int | tf.Tensor,
    own: int | tf.Tensor | None,
) -> dict[str, tf.Tensor]:
    """Encoder inputs of histories given as slices of flat event columns.

    Args:
        columns: event column name -> [events + 1], see `padded_columns`.
        starts: integer [batch], first event of each history.
        ends: integer [batch], one past its last event.
        length: window of the encoder.
        own: window of the user's own items, None to leave them out.

    Returns:
        Every event column but `time` as [batch, length]; with `own` also `own_item` and
        `own_action` int32 and `own_time` int64 [batch, own]. All newest first.
    """
    events = tf.size(columns[features.ITEM]) - 1
    places = window_places(starts, ends, length, events)
    inputs = {
        name: tf.gather(column, places) for name, column in columns.items() if name != features.TIME
    }
    if own is not None:
        places = window_places(starts, ends, own, events)
        inputs |= {name: tf.gather(columns[column], places) for name, column in OWN_COLUMNS.items()}
    return inputs
