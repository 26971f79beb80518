"""An approximate index for large catalogues: items in cells, of which a query reads the best few.

The inverted file of vector search (Jégou et al. 2011, without its codes): k-means puts the items
into small cells, a query is first compared with the cells' centres, and only the items of the best
cells are scored, exactly. It consists of operations that stock TensorFlow Serving has; ScaNN, which
TensorFlow Recommenders offers, needs a server with its own.

Cells are made in the space where distances are what the queries see: with M = E[q qᵀ] = L Lᵀ, the
squared distance of Lᵀx and Lᵀy is E[(q·x - q·y)²], the expected squared difference of the scores
(the idea of score-aware quantisation, Guo et al. 2020). Items far from their cell's centre stand in
a second cell too (`cell_partition.py`). A query reads the smallest number of cells that finds the
wanted share of the ten best items of sample queries. Cells have the size at which a query reads the
least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.encoder.catalogue import MASKED
from trainer.serving.cell_partition import Assignments, means, partition, parts

ITEMS_PER_CELL = (32, 16, 8, 4)
"""Sizes of cells that are tried, from large to small, as long as a query has less to read."""
RECALLED = 10
"""Recall is that of the ten best items."""
SPARE = 3
"""A query reads this many times the rows that it asks for, at least."""
ANY_READS = 2
"""Where any event is asked for, a query reads this many times the cells. The cells were made for
biases that ask for a target action, so that their items are less alike
(`docs/decisions/0037-purchases-are-asked-for.md`)."""
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
        """What a query costs, counted in centres: each centre is 1, and each row that is read 2,
        because it is copied first.
        """
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
    best = _cells(table, queries, wanted, recall, partition(points, largest, rng))
    for per_cell in smaller:
        if best.work < 2 * len(best.centres):
            # Twice as many centres would cost more than there are rows to save.
            break
        cells = _cells(table, queries, wanted, recall, partition(points, per_cell, rng))
        if cells.work >= best.work:
            break
        best = cells
    return best


def _cells(
    table: np.ndarray,
    queries: np.ndarray,
    wanted: np.ndarray,
    recall: float,
    assigned: Assignments,
) -> Cells:
    """Cells for a partition, with as many read as the first half of the queries needs.

    Args:
        table: float32 [items, width + 1].
        queries: float32 [queries, width + 1].
        wanted: int32 [queries, 10], rows of each query's best items.
        recall: share of these that is to be found.
        assigned: the partition, row `i` of the table as item `i`.
    """
    items = len(table)
    first = assigned.cells[:items]
    second = first.copy()
    second[assigned.items[items:]] = assigned.cells[items:]
    sizes = np.bincount(assigned.cells)
    centres = means(table, first)
    place, read = _places_and_reads(queries, centres, sizes, first[wanted], second[wanted])
    half = len(queries) // 2
    rising = np.sort(place[:half].ravel())
    last_needed = min(int(np.ceil(recall * rising.size)), rising.size) - 1
    probes = int(rising[last_needed]) + 1
    # Cell after cell; a stable sort keeps items in their order within each.
    rows = assigned.items[np.argsort(assigned.cells, kind="stable")]
    return Cells(
        table=table[rows],
        items=(rows + 1).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        centres=centres,
        probes=probes,
        recall=float((place[half:] < probes).mean()),
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


def _places_and_reads(
    queries: np.ndarray,
    centres: np.ndarray,
    sizes: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How far down its list of cells a query finds its best items, and how much it reads by then.

    Args:
        queries: float32 [queries, width + 1].
        centres: float32 [cells, width + 1].
        sizes: int64 [cells], rows in each.
        first: int64 [queries, 10], the first cell of each of the ten best items.
        second: int64 [queries, 10], their second cells; the first again where there is none.

    Returns:
        int64 [queries, 10], where in the query's list of cells, best first, it meets each of the
        ten best items; and float64 [cells], the mean number of rows that are read with the first
        1, 2, … cells.
    """
    found = np.empty(first.shape, np.int64)
    read = np.zeros(len(centres))
    for rows in parts(np.arange(len(queries)), _BATCH):
        order = np.argsort(-(queries[rows] @ centres.T), axis=1, kind="stable")
        place_of_cell = np.argsort(order, axis=1)
        found[rows] = np.minimum(
            np.take_along_axis(place_of_cell, first[rows], axis=1),
            np.take_along_axis(place_of_cell, second[rows], axis=1),
        )
        read += np.cumsum(sizes[order], axis=1).sum(axis=0)
    return found, read / len(queries)


class CellIndex(tf.Module):
    """Finds the items with the largest scores in the cells that a query reads.

    Args:
        cells: the partition.
        asked: float32 [items + 1], what the biases in its table have more than those of asking for
            any event; None where nobody may ask for that.
    """

    def __init__(self, cells: Cells, asked: tf.Variable | None = None) -> None:
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
        if asked is not None:
            sizes = np.diff(cells.starts)
            cell_of_row = np.repeat(np.arange(self._cells), sizes)
            sums = np.bincount(cell_of_row, asked.numpy()[cells.items], len(centres))
            counts = np.pad(sizes, (0, -self._cells % _GROUP))
            self._asked = asked
            self._asked_of_cells = tf.Variable(
                (sums / np.maximum(counts, 1)).astype(np.float32), trainable=False
            )

    def __call__(
        self, queries: tf.Tensor, k: tf.Tensor, any_event: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items of each query.

        Args:
            queries: float32 [batch, width + 1], the last column 1.
            k: int32 [] or [batch], how many, at least. A query reads as many cells as its own `k`
                needs, whatever the others ask for.
            any_event: score with the biases of asking for any event.

        Returns:
            Scores float32 [batch, m] and items int32 [batch, m], best first, m the largest `k`;
            where the cells hold fewer items, the score is the lowest float and the item 0.
        """
        table, items, starts, twins = (
            tf.convert_to_tensor(v) for v in (self._table, self._items, self._starts, self._twins)
        )
        batch = tf.shape(queries)[0]
        # A loop of no rounds would not know the shape of its result.
        nobody = tf.cast(batch == 0, tf.int32)
        queries = tf.pad(queries, [[0, nobody], [0, 0]])
        counts = tf.pad(tf.broadcast_to(k, [batch]), [[0, nobody]], constant_values=1)
        longest = k if k.shape.rank == 0 else tf.reduce_max(counts)
        of_cells = tf.matmul(queries, self._centres)
        if any_event:
            of_cells -= self._asked_of_cells
            asked = tf.convert_to_tensor(self._asked)
        # A long list, or a user with a long history to leave out, needs more cells than the ten
        # best items do.
        enough = tf.cast(tf.cast(counts, tf.float32) * (SPARE / self._cell_size), tf.int32)
        needed = self._probes * (ANY_READS if any_event else 1)
        probes = tf.minimum(tf.maximum(enough, needed), self._cells)
        cells = _places_of_largest(of_cells, tf.reduce_max(probes))

        def of_one(
            query_cells_probes: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
        ) -> tuple[tf.Tensor, tf.Tensor]:
            query, near, own_probes = query_cells_probes
            read = near[:own_probes]
            ranges = tf.ragged.range(tf.gather(starts, read), tf.gather(starts, read + 1))
            rows = ranges.flat_values
            scores = tf.linalg.matvec(tf.gather(table, rows), query)
            if any_event:
                scores -= tf.gather(asked, tf.gather(items, rows))
            # If both cells of an item are read, only one of its rows counts.
            is_read = tf.scatter_nd(read[:, None], tf.ones_like(read), [self._cells + 1])
            twice = tf.gather(is_read, tf.gather(twins, rows)) > 0
            scores = tf.where(twice, tf.float32.min, scores)
            best = tf.math.top_k(scores, tf.minimum(longest, tf.size(rows)))
            found = tf.gather(items, tf.gather(rows, best.indices))
            missing = [[0, tf.maximum(longest - tf.size(found), 0)]]
            return (
                tf.pad(best.values, missing, constant_values=tf.float32.min),
                tf.pad(tf.where(best.values > tf.float32.min, found, 0), missing),
            )

        # One query at a time: the rows that a batch reads would not fit into memory.
        scores, best_items = tf.map_fn(
            of_one,
            (queries, cells, probes),
            fn_output_signature=(
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([None], tf.int32),
            ),
        )
        return scores[:batch], best_items[:batch]


def _cells_of_twins(cells: Cells) -> np.ndarray:
    """The cell in which a row's item stood before: int32 [rows].

    An item in two cells has two rows. The later one gets the cell of the earlier one, so that a
    query that reads both cells counts the item once. Every other row gets the number of cells,
    which is no cell.
    """
    no_cell = len(cells.centres)
    cell_of_row = np.repeat(np.arange(no_cell), np.diff(cells.starts))
    by_item = np.argsort(cells.items, kind="stable")
    items = cells.items[by_item]
    earlier = np.flatnonzero(items[1:] == items[:-1])
    twins = np.full(len(cells.items), no_cell, np.int32)
    twins[by_item[earlier + 1]] = cell_of_row[by_item[earlier]]
    return twins


def _places_of_largest(scores: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """Where the k largest of each row are, the largest first, int32 [batch, k].

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
    at = tf.math.top_k(among, k).indices
    return tf.gather(group, at // _GROUP, batch_dims=1) * _GROUP + at % _GROUP
