"""What is added to every score of an item: how popular it is, and how demand for it has moved.

These are views of weights that `Catalogue` owns, whose places there are those of saved encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.data.item_statistics import TREND


@dataclass(frozen=True)
class DemandTrend:
    """How demand moved over the periods of the training log (`trainer/data/item_statistics.py`).

    Attributes:
        statistics: weight float32 [periods + 1, items + 1, STATISTICS]; the last is of the log's
            end.
        starts: weight int64 [periods + 1], epoch seconds at which periods begin.
        weight: learnt weight [] of the trend in the biases.
    """

    statistics: Any
    starts: Any
    weight: Any

    def values(self, by_period: bool) -> tf.Tensor:
        """The trend of all items, float32 [items + 1, periods + 1], or [items + 1, 1] at the end.

        Args:
            by_period: give all periods and the end of the log, not only the latter.
        """
        trend = tf.convert_to_tensor(self.statistics)[..., TREND]
        return tf.transpose(trend if by_period else trend[-1:])

    def period_of(self, times: tf.Tensor) -> tf.Tensor:
        """int32 [...], the period of epoch seconds int64 [...]; after the log's end, the last."""
        starts = tf.convert_to_tensor(self.starts)
        flat = tf.searchsorted(starts, tf.reshape(times, [-1]), side="right") - 1
        return tf.reshape(tf.maximum(flat, 0), tf.shape(times))


@dataclass(frozen=True)
class ItemBiases:
    """Learnt biases, which start at log popularity, the trend where there is one, and what is added
    where a target action is asked for.

    Attributes:
        bias: weight [items + 1].
        trend: None where biases do not follow demand.
        asked: weight [items + 1], added where a target action is asked for; None where every action
            is.
    """

    bias: Any
    trend: DemandTrend | None
    asked: Any = None

    def of(self, items: tf.Tensor | slice, by_period: bool) -> tf.Tensor:
        """Biases as of the end of the log, float32 [..., 1], or of all periods, [..., periods + 1].

        Where there are target actions, the former are those of asking for them. The latter are not:
        what asking adds is a further column.

        Args:
            items: int32 [...], or a slice of the catalogue, which is read faster.
            by_period: see `DemandTrend.values`; without a trend there is one period.
        """
        bias = tf.cast(_picked(tf.convert_to_tensor(self.bias), items), tf.float32)[..., None]
        if self.trend is not None:
            trend = self.trend.values(by_period)
            weight = tf.cast(tf.convert_to_tensor(self.trend.weight), tf.float32)
            bias += weight * _picked(trend, items)
        if self.asked is None:
            return bias
        asked = tf.cast(_picked(tf.convert_to_tensor(self.asked), items), tf.float32)[..., None]
        return tf.concat([bias, asked], axis=-1) if by_period else bias + asked


def _picked(values: tf.Tensor, items: tf.Tensor | slice) -> tf.Tensor:
    return values[items] if isinstance(items, slice) else tf.gather(values, items)
