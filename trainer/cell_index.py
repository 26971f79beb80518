"""An approximate index for large catalogues: items in cells, of which a query reads the best few.

The inverted file of vector search (Jégou et al. 2011, without its codes): k-means puts the items
into small cells, a query is first compared with the cells' centres, and only the items of the best
cells are scored, exactly. It consists of operations that stock TensorFlow Serving has; ScaNN, which
TensorFlow Recommenders offers, needs a server with its own.

Cells are made in the space where distances are what the queries see: with M = E[q qᵀ] = L Lᵀ, the
squared distance of Lᵀx and Lᵀy is E[(q·x - q·y)²], the expected squared difference of the scores
(the idea of score-aware quantisation, Guo et al. 2020). How many cells a query reads is the
smallest number that finds the wanted share of the ten best items of sample queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

ITEMS_PER_CELL = 32
RECALLED = 10
"""Recall is that of the ten best items."""
_SAMPLE_QUERIES = 1000
_SAMPLE_ITEMS = 100_000
_BATCH = 64


@dataclass(frozen=True)
class Cells:
    """A partition of the items, and how well it works.

    Attributes:
        table: float32 [items, width + 1], item vectors and biases, cell after cell.
        items: int32 [items], the item index of each row.
        starts: int32 [cells + 1], where each cell starts in `table`.
        centres: float32 [cells, width + 1], mean rows.
        probes: how many cells a query reads.
        recall: share of the ten best items that is found, on sample queries that did not decide
            on `probes`.
        read: mean share of the items that a query reads.
    """

    table: np.ndarray
    items: np.ndarray
    starts: np.ndarray
    centres: np.ndarray
    probes: int
    recall: float
    read: float


def build_cells(
    table: np.ndarray, queries: np.ndarray, recall: float, seed: int, per_cell: int = ITEMS_PER_CELL
) -> Cells:
    """Partitions a catalogue.

    Memory: three times the table. Time: about a minute for a million items on two cores.

    Args:
        table: float32 [items, width + 1], vectors and biases of the items 1, 2, ….
        queries: float32 [queries, width + 1] of users to come, the last column 1; at least 2. They
            decide on the space and on the number of cells that are read.
        recall: share of the ten best items that is to be found.
        seed: of k-means and samples.
        per_cell: mean number of items in a cell.

    Raises:
        ValueError: if there are fewer than two queries.
    """
    if len(queries) < 2:
        raise ValueError("an approximate index needs at least two sample queries")
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(queries))[:_SAMPLE_QUERIES]
    queries = queries[chosen].astype(np.float32)
    cell = _two_level_kmeans(table @ _score_space(queries), per_cell, rng)
    order = np.argsort(cell, kind="stable")
    sizes = np.bincount(cell)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rows = table[order]
    centres = (np.add.reduceat(rows, starts[:-1], axis=0) / sizes[:, None]).astype(np.float32)
    deepest, read = _depths(table, queries, cell, centres, sizes)
    half = len(queries) // 2
    tuned = np.sort(deepest[:half].ravel())
    probes = int(tuned[min(int(np.ceil(recall * tuned.size)), tuned.size) - 1]) + 1
    return Cells(
        table=rows,
        items=(order + 1).astype(np.int32),
        starts=starts.astype(np.int32),
        centres=centres,
        probes=probes,
        recall=float((deepest[half:] < probes).mean()),
        read=float(read[:, probes - 1].mean()),
    )


def _score_space(queries: np.ndarray) -> np.ndarray:
    """The L of the queries' second moment, float32 [width + 1, width + 1]."""
    moment = queries.T @ queries / len(queries)
    ridge = 1e-3 * np.trace(moment) / len(moment)
    return np.linalg.cholesky(moment + ridge * np.eye(len(moment))).astype(np.float32)


def _two_level_kmeans(points: np.ndarray, per_cell: int, rng: np.random.Generator) -> np.ndarray:
    """The cell of each point, int64 [points]; none is empty.

    Large cells are made of a sample and then split, since k-means with n / 32 centres over all n
    points would take time that grows with n².
    """
    large = max(1, round((len(points) / per_cell) ** 0.5))
    sample = points
    if len(points) > _SAMPLE_ITEMS:
        sample = points[rng.choice(len(points), _SAMPLE_ITEMS, replace=False)]
    coarse = _kmeans(large, rng).fit(sample)
    outer = np.concatenate([coarse.predict(part) for part in _parts(points)])
    cell = np.empty(len(points), np.int64)
    for k in range(large):
        rows = np.flatnonzero(outer == k)
        if len(rows):
            inside = _kmeans(max(1, round(len(rows) / per_cell)), rng).fit_predict(points[rows])
            # Cells that stayed empty leave gaps, which are closed at the end.
            cell[rows] = k * len(points) + inside
    return np.unique(cell, return_inverse=True)[1]


def _kmeans(clusters: int, rng: np.random.Generator) -> MiniBatchKMeans:
    return MiniBatchKMeans(
        clusters,
        init="random",
        n_init=1,
        batch_size=4096,
        max_iter=20,
        random_state=int(rng.integers(2**31)),
    )


def _depths(
    table: np.ndarray,
    queries: np.ndarray,
    cell: np.ndarray,
    centres: np.ndarray,
    sizes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How far down its list of cells a query must read.

    Returns:
        int64 [queries, 10], the place of the cell of each of the ten best items, and float64
        [queries, cells], the share of the items that is read with each number of cells.
    """
    places, shares = [], []
    for part in _parts(queries, _BATCH):
        scores = tf.matmul(part, table, transpose_b=True)
        best = tf.math.top_k(scores, min(RECALLED, len(table))).indices.numpy()
        order = np.argsort(-(part @ centres.T), axis=1, kind="stable")
        places.append(np.take_along_axis(np.argsort(order, axis=1), cell[best], axis=1))
        shares.append(np.cumsum(sizes[order], axis=1) / len(table))
    return np.concatenate(places), np.concatenate(shares)


def _parts(rows: np.ndarray, size: int = 65_536) -> list[np.ndarray]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]


class CellIndex(tf.Module):
    """Finds the items with the largest scores in the cells that a query reads.

    Args:
        cells: the partition.
    """

    def __init__(self, cells: Cells) -> None:
        super().__init__()
        self._probes = cells.probes
        # Variables, since constants would make the graph as large as the table.
        self._table = tf.Variable(cells.table, trainable=False)
        self._items = tf.Variable(cells.items, trainable=False)
        self._starts = tf.Variable(cells.starts, trainable=False)
        self._centres = tf.Variable(cells.centres, trainable=False)

    def __call__(self, queries: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best items of each query.

        Args:
            queries: float32 [batch, width + 1], the last column 1.
            k: int32, how many.

        Returns:
            Scores float32 [batch, k] and items int32 [batch, k], best first; where the cells hold
            fewer items, the score is the lowest float and the item 0.
        """
        table, items, starts = (
            tf.convert_to_tensor(v) for v in (self._table, self._items, self._starts)
        )
        batch = tf.shape(queries)[0]
        # A loop of no rounds would not know the shape of its result.
        queries = tf.pad(queries, [[0, tf.cast(batch == 0, tf.int32)], [0, 0]])
        of_cells = tf.matmul(queries, self._centres, transpose_b=True)
        cells = tf.math.top_k(of_cells, self._probes, sorted=False).indices

        def of_one(query_and_cells: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            query, read = query_and_cells
            ranges = tf.ragged.range(tf.gather(starts, read), tf.gather(starts, read + 1))
            rows = ranges.flat_values
            scores = tf.linalg.matvec(tf.gather(table, rows), query)
            best = tf.math.top_k(scores, tf.minimum(k, tf.size(rows)))
            missing = [[0, k - tf.size(best.values)]]
            return (
                tf.pad(best.values, missing, constant_values=tf.float32.min),
                tf.pad(tf.gather(items, tf.gather(rows, best.indices)), missing),
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
