"""An approximate index for large catalogues: items in cells, of which a query reads the best few.

The inverted file of vector search (Jégou et al. 2011, without its codes): k-means puts the items
into small cells, a query is first compared with the cells' centres, and only the items of the best
cells are scored, exactly. It consists of operations that stock TensorFlow Serving has; ScaNN, which
TensorFlow Recommenders offers, needs a server with its own.

Cells are made in the space where distances are what the queries see: with M = E[q qᵀ] = L Lᵀ, the
squared distance of Lᵀx and Lᵀy is E[(q·x - q·y)²], the expected squared difference of the scores
(the idea of score-aware quantisation, Guo et al. 2020). Items far from their cell's centre stand in
a second cell too (`cell_partition.py`). How many cells a query reads is the smallest number that
finds the wanted share of the ten best items of sample queries; how small the cells are, what makes
a query read the least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.encoder.catalogue import MASKED
from trainer.serving.cell_partition import means, partition, parts

ITEMS_PER_CELL = (32, 16, 8, 4)
"""Sizes of cells that are tried, while smaller ones make less to read."""
RECALLED = 10
"""Recall is that of the ten best items."""
SPARE = 3
"""A query reads this many times the rows that it asks for, at least."""
_SAMPLE_QUERIES = 1000
_BATCH = 64
_GROUP = 64


@dataclass(frozen=True)
class Cells:
    """A partition of the items, and how well it works.

    Attributes:
        table: float32 [rows, width + 1], item vectors and biases, cell after cell; a row for each
            item, and another one for those that stand in two cells.
        items: int32 [rows], the item index of each row.
        starts: int32 [cells + 1], where each cell starts in `table`.
        centres: float32 [cells, width + 1], mean rows of the items whose first cell it is.
        probes: how many cells a query reads.
        recall: share of the ten best items that is found, on sample queries that did not decide
            on `probes`.
        read: mean number of rows that a query reads, as a share of the items.
    """

    table: np.ndarray
    items: np.ndarray
    starts: np.ndarray
    centres: np.ndarray
    probes: int
    recall: float
    read: float

    @property
    def work(self) -> float:
        """What a query costs, in centres: all of them, and rows, which are copied to be read."""
        return len(self.centres) + 2 * self.read * int(self.items.max())


def build_cells(table: np.ndarray, queries: np.ndarray, recall: float, seed: int) -> Cells:
    """Partitions a catalogue.

    Memory: about five times the table, beside it. Time: about a minute for a million items on two
    cores; each smaller size of cells that is tried takes about one and a half times as long as the
    one before.

    Args:
        table: float32 [items, width + 1], vectors and biases of the items 1, 2, ….
        queries: float32 [queries, width + 1] of users to come, the last column 1; at least 2. They
            decide on the space and on the number of cells that are read.
        recall: share of the ten best items that is to be found.
        seed: of k-means and samples.

    Raises:
        ValueError: if there are fewer than two queries.
    """
    if len(queries) < 2:
        raise ValueError("an approximate index needs at least two sample queries")
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(queries))[:_SAMPLE_QUERIES]
    queries = queries[chosen].astype(np.float32)
    points = table @ _score_space(queries)
    wanted = _best_items(table, queries)
    largest, *smaller = ITEMS_PER_CELL
    best = _cells(table, queries, wanted, recall, *partition(points, largest, rng))
    for per_cell in smaller:
        if best.work < 2 * len(best.centres):
            # Twice as many centres would cost more than there are rows to save.
            break
        cells = _cells(table, queries, wanted, recall, *partition(points, per_cell, rng))
        if cells.work >= best.work:
            break
        best = cells
    return best


def _cells(
    table: np.ndarray,
    queries: np.ndarray,
    wanted: np.ndarray,
    recall: float,
    item: np.ndarray,
    cell: np.ndarray,
) -> Cells:
    """Cells for a partition, read as deeply as the first half of the queries asks for."""
    order = np.argsort(cell, kind="stable")
    sizes = np.bincount(cell)
    centres = means(table, cell[: len(table)])
    first = cell[: len(table)]
    second = first.copy()
    second[item[len(table) :]] = cell[len(table) :]
    cells_of_wanted = np.stack([first[wanted], second[wanted]])
    deepest, read = _depths(queries, centres, sizes, cells_of_wanted)
    half = len(queries) // 2
    tuned = np.sort(deepest[:half].ravel())
    probes = int(tuned[min(int(np.ceil(recall * tuned.size)), tuned.size) - 1]) + 1
    return Cells(
        table=table[item[order]],
        items=(item[order] + 1).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        centres=centres,
        probes=probes,
        recall=float((deepest[half:] < probes).mean()),
        read=float(read[probes - 1] / len(table)),
    )


def _score_space(queries: np.ndarray) -> np.ndarray:
    """The L of the queries' second moment, float32 [width + 1, width + 1]."""
    moment = queries.T @ queries / len(queries)
    ridge = 1e-3 * np.trace(moment) / len(moment)
    return np.linalg.cholesky(moment + ridge * np.eye(len(moment))).astype(np.float32)


def _best_items(table: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Rows of the ten best items of each query, int32 [queries, 10]."""
    best = []
    for block in parts(queries, _BATCH):
        scores = tf.matmul(block, table, transpose_b=True)
        best.append(tf.math.top_k(scores, min(RECALLED, len(table))).indices.numpy())
    return np.concatenate(best)


def _depths(
    queries: np.ndarray, centres: np.ndarray, sizes: np.ndarray, cells_of_wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far down its list of cells a query must read.

    Args:
        queries: float32 [queries, width + 1].
        centres: float32 [cells, width + 1].
        sizes: int64 [cells], rows in each.
        cells_of_wanted: int64 [2, queries, 10], both cells of each of the ten best items.

    Returns:
        int64 [queries, 10], the place of the better cell of each of the ten best items, and
        float64 [cells], the mean number of rows that are read with each number of cells.
    """
    deepest = np.empty(cells_of_wanted.shape[1:], np.int64)
    read = np.zeros(len(centres))
    for rows in parts(np.arange(len(queries)), _BATCH):
        order = np.argsort(-(queries[rows] @ centres.T), axis=1, kind="stable")
        place = np.argsort(order, axis=1)
        deepest[rows] = np.minimum(
            *(np.take_along_axis(place, of[rows], axis=1) for of in cells_of_wanted)
        )
        read += np.cumsum(sizes[order], axis=1).sum(axis=0)
    return deepest, read / len(queries)


class CellIndex(tf.Module):
    """Finds the items with the largest scores in the cells that a query reads.

    Args:
        cells: the partition.
    """

    def __init__(self, cells: Cells) -> None:
        super().__init__()
        self._probes = cells.probes
        self._cells = len(cells.centres)
        self._cell_size = len(cells.items) / len(cells.centres)
        # Variables, since constants would make the graph as large as the table.
        self._table = tf.Variable(cells.table, trainable=False)
        self._items = tf.Variable(cells.items, trainable=False)
        self._starts = tf.Variable(cells.starts, trainable=False)
        self._twins = tf.Variable(_cells_of_twins(cells), trainable=False)
        # Column by column, with which TensorFlow's product is faster; whole groups of them.
        centres = np.pad(cells.centres, [(0, -self._cells % _GROUP), (0, 0)])
        centres[self._cells :, -1] = MASKED
        self._centres = tf.Variable(centres.T, trainable=False)

    def __call__(self, queries: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items of each query.

        Args:
            queries: float32 [batch, width + 1], the last column 1.
            k: int32, how many.

        Returns:
            Scores float32 [batch, k] and items int32 [batch, k], best first; where the cells hold
            fewer items, the score is the lowest float and the item 0.
        """
        table, items, starts, twins = (
            tf.convert_to_tensor(v) for v in (self._table, self._items, self._starts, self._twins)
        )
        batch = tf.shape(queries)[0]
        # A loop of no rounds would not know the shape of its result.
        queries = tf.pad(queries, [[0, tf.cast(batch == 0, tf.int32)], [0, 0]])
        of_cells = tf.matmul(queries, self._centres)
        # A long list, or a user with a long history to leave out, needs more cells than the ten
        # best items do.
        enough = tf.cast(tf.cast(k, tf.float32) * (SPARE / self._cell_size), tf.int32)
        probes = tf.minimum(tf.maximum(enough, self._probes), self._cells)
        cells = _places_of_largest(of_cells, probes)

        def of_one(query_and_cells: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            query, read = query_and_cells
            ranges = tf.ragged.range(tf.gather(starts, read), tf.gather(starts, read + 1))
            rows = ranges.flat_values
            scores = tf.linalg.matvec(tf.gather(table, rows), query)
            # Of an item that stands in two of these cells, one row counts.
            is_read = tf.scatter_nd(read[:, None], tf.ones_like(read), [self._cells + 1])
            twice = tf.gather(is_read, tf.gather(twins, rows)) > 0
            scores = tf.where(twice, tf.float32.min, scores)
            best = tf.math.top_k(scores, tf.minimum(k, tf.size(rows)))
            found = tf.gather(items, tf.gather(rows, best.indices))
            missing = [[0, tf.maximum(k - tf.size(found), 0)]]
            return (
                tf.pad(best.values, missing, constant_values=tf.float32.min),
                tf.pad(tf.where(best.values > tf.float32.min, found, 0), missing),
            )

        # One query at a time: the rows that a batch reads would not fit into memory.
        scores, best_items = tf.map_fn(
            of_one,
            (queries, cells),
            fn_output_signature=(
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([None], tf.int32),
            ),
        )
        return scores[:batch], best_items[:batch]


def _cells_of_twins(cells: Cells) -> np.ndarray:
    """For the later row of each item that stands in two cells, the cell of the earlier; int32
    [rows], for other rows the number of cells.
    """
    none = len(cells.centres)
    cell = np.repeat(np.arange(none), np.diff(cells.starts))
    order = np.argsort(cells.items, kind="stable")
    ordered = cells.items[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    twins = np.full(len(cells.items), none, np.int32)
    twins[order[again + 1]] = cell[order[again]]
    return twins


def _places_of_largest(scores: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """Where the k largest of each row are, in any order, int32 [batch, k].

    They lie in the k groups of neighbours with the largest maxima. `top_k` looks at every number of
    a row one after the other, which takes longer than the product that made 30,000 of them.

    Args:
        scores: float32 [batch, n], n a multiple of `_GROUP`.
        k: int32, at most n.
    """
    groups = tf.reshape(scores, [tf.shape(scores)[0], -1, _GROUP])
    few = tf.minimum(k, tf.shape(groups)[1])
    group = tf.math.top_k(tf.reduce_max(groups, axis=2), few, sorted=False).indices
    among = tf.reshape(tf.gather(groups, group, batch_dims=1), [tf.shape(scores)[0], -1])
    at = tf.math.top_k(among, k, sorted=False).indices
    return tf.gather(group, at // _GROUP, batch_dims=1) * _GROUP + at % _GROUP
