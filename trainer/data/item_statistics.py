"""How items sold up to each point of the training log: popularity, openings, recent demand.

A shop's demand moves: what sold last month says more about the next basket than what sold in a
year. Each training sample must see the statistics as they stood before it, because those of the
whole log contain its own target, and a served model those of the log's end. The log is therefore
cut into periods of equal length, and the statistics are kept as of the start of each and of the
end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.data import features
from trainer.data.histories import Histories

PERIODS = 26
"""How many periods a log has; each is two weeks where it covers a year."""
FEWEST_PERIODS = 4
MOST_CELLS = 20_000_000
"""At most how many periods times items are kept (80 MB a statistic), so that a large catalogue has
fewer periods."""
LATELY = 2
"""How many periods before a point count as recent."""
POPULARITY, OPENING, TREND = range(3)
STATISTICS = 3


@dataclass(frozen=True)
class ItemStatistics:
    """Statistics of items as of points in time.

    Attributes:
        starts: int64 [periods + 1] epoch seconds: the start of each period and, last, the end of
            the log; a single 0 where the log has order only.
        table: float32 [periods + 1, items + 1, STATISTICS] what was known of each item before
            these times; row 0, padding, is zero. With c events of the item among n of V items:
            POPULARITY log(V (c + 1) / (n + V)); OPENING the log of the share of its events that
            opened an instant (`Histories.opening_chance`), against the usual share; TREND the log
            of its rate in the last `LATELY` periods against its rate before the point,
            log((c' + V r) / ((n' + V) r)) with r = (c + 1) / (n + V), 0 at the log's beginning.
    """

    starts: np.ndarray
    table: np.ndarray

    @property
    def periods(self) -> int:
        """How many periods the log is cut into; 0 where it has order only."""
        return len(self.starts) - 1

    @property
    def days(self) -> float:
        """Length of a period."""
        return float(self.starts[-1] - self.starts[0]) / max(self.periods, 1) / 86_400

    @classmethod
    def of(cls, histories: Histories, items: int, *, has_time: bool) -> ItemStatistics:
        """Counts the training events.

        Args:
            histories: the training split.
            items: catalogue size; events of unknown items are not counted.
            has_time: whether timestamps carry time and not only order.
        """
        item, time = histories.columns[features.ITEM], histories.columns[features.TIME]
        known = (item > 0) & (item <= items)
        periods = min(PERIODS, MOST_CELLS // (items + 1)) if has_time and known.any() else 0
        if periods < FEWEST_PERIODS:
            starts = np.zeros(1, np.int64)
            period = np.zeros(len(item), np.int64)
        else:
            first, end = int(time[known].min()), int(time[known].max()) + 1
            starts = first + (end - first) * np.arange(periods + 1) // periods
            period = np.searchsorted(starts, time, side="right") - 1
        # Counted in the row after their period: what was known when the next one began.
        row = np.minimum(period + 1, len(starts) - 1)
        row, item = row[known], item[known]
        sold = _counts(row, item, len(starts), items)
        opened = _counts(row, item, len(starts), items, histories.opening_chance[known])
        return cls(starts, _statistics(sold, opened))

    def of_the_end(self) -> ItemStatistics:
        """The same without periods and trends: the statistics of the whole log."""
        table = self.table[-1:].copy()
        table[..., TREND] = 0.0
        return ItemStatistics(self.starts[-1:], table)


def _counts(
    row: np.ndarray, item: np.ndarray, rows: int, items: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """float32 [rows, items + 1], weighted events of each item up to and with each row."""
    width = items + 1
    counts = np.bincount(row * width + item, weights, rows * width).reshape(rows, width)
    return counts.cumsum(axis=0).astype(np.float32)


def _statistics(sold: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """The table of `ItemStatistics` from cumulated counts [points, items + 1]."""
    items = sold.shape[1] - 1
    total = sold.sum(axis=1, keepdims=True)
    rate = (sold + 1.0) / (total + items)
    before = np.arange(len(sold)) - LATELY
    lately = sold - np.where(before[:, None] >= 0, sold[np.maximum(before, 0)], 0.0)
    all_lately = lately.sum(axis=1, keepdims=True)
    trend = np.log((lately + items * rate) / ((all_lately + items) * rate))
    usual = np.maximum(opened.sum(axis=1, keepdims=True), 1.0) / np.maximum(total, 1.0)
    # Shrunk towards the usual share, as if each item had one event more.
    opening = np.log((opened + usual) / ((sold + 1.0) * usual))
    table = np.zeros((*sold.shape, STATISTICS), np.float32)
    table[..., POPULARITY] = np.log(rate * items)
    table[..., OPENING] = opening
    table[..., TREND] = trend if len(sold) > 1 else 0.0
    table[:, 0] = 0.0
    return table
