"""Puts items into small cells, and those that lie far from their cell's centre into a second one.

k-means spends its centres where items are dense, so an isolated item shares a cell whose centre
says little of it, and a search that goes by centres passes it over. It gets a second chance in the
cell with the next nearest centre (the spilled assignments of ScaNN: Sun et al. 2023, "SOAR", here
without their penalty on parallel residuals, which changed the recall by a thousandth).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

SPILLED = 0.2
"""Share of the items that stand in two cells: those with the largest distance to their centre."""
_SAMPLE_ITEMS = 100_000
_NEIGHBOURS = 16
_ROWS = 65_536


class Assignments(NamedTuple):
    """Which items stand in which cells, int64 [assignments] each.

    Attributes:
        items: all items in their order, then the spilled ones again.
        cells: the first cells of all items, then the second cells of the spilled ones. They are
            0, 1, …, and none is empty.
    """

    items: np.ndarray
    cells: np.ndarray


def partition(points: np.ndarray, per_cell: int, rng: np.random.Generator) -> Assignments:
    """Assigns every point to a cell, and some to a second one.

    Args:
        points: float32 [items, width], in a space where distance is what matters.
        per_cell: mean number of items in a cell, second assignments not counted.
        rng: for samples and k-means.
    """
    large, cell = _two_level_kmeans(points, per_cell, rng)
    spilled, second = _second_cells(points, large, cell)
    items = np.concatenate([np.arange(len(points)), spilled])
    return Assignments(items, np.concatenate([cell, second]))


def means(rows: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Mean row of each cell, float32 [cells, width]."""
    sizes = np.bincount(cell)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    sums = np.add.reduceat(rows[np.argsort(cell, kind="stable")], starts, axis=0)
    return (sums / sizes[:, None]).astype(np.float32)


def parts(rows: np.ndarray, size: int = _ROWS) -> list[np.ndarray]:
    """Consecutive blocks of rows, as views."""
    return [rows[at : at + size] for at in range(0, len(rows), size)]


def _two_level_kmeans(
    points: np.ndarray, per_cell: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The large cell and the cell of each point, int64 [points] each; none is empty.

    Large cells are made of a sample and then split, since k-means with n / 32 centres over all n
    points would take time that grows with n².
    """
    number = max(1, round((len(points) / per_cell) ** 0.5))
    sample = points
    if len(points) > _SAMPLE_ITEMS:
        sample = points[rng.choice(len(points), _SAMPLE_ITEMS, replace=False)]
    coarse = _kmeans(number, rng).fit(sample)
    large = np.concatenate([coarse.predict(block) for block in parts(points)]).astype(np.int64)
    cell = np.empty(len(points), np.int64)
    for k in range(number):
        rows = np.flatnonzero(large == k)
        if len(rows):
            inside = _kmeans(max(1, round(len(rows) / per_cell)), rng).fit_predict(points[rows])
            # Cells that stayed empty leave gaps, which are closed at the end.
            cell[rows] = k * len(points) + inside
    large, cell = (np.unique(of, return_inverse=True)[1] for of in (large, cell))
    return large, cell


def _kmeans(clusters: int, rng: np.random.Generator) -> MiniBatchKMeans:
    return MiniBatchKMeans(
        clusters,
        init="random",
        n_init=1,
        batch_size=4096,
        max_iter=20,
        random_state=int(rng.integers(2**31)),
    )


def _second_cells(
    points: np.ndarray, large: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The spilled items and their second cells, int64 [spilled] each.

    The second cell is sought in the large cells next to the item's own, so that the time does not
    grow with items times cells.
    """
    centres = means(points, cell)
    if len(centres) == 1:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    distance = np.concatenate(
        [
            ((block - centres[of]) ** 2).sum(axis=1)
            for block, of in zip(parts(points), parts(cell), strict=True)
        ]
    )
    count = round(SPILLED * len(points))
    spilled = np.sort(np.argpartition(-distance, count)[:count])
    outer = means(points, large)
    # Each cell lies in one large cell.
    outer_of_cell = np.empty(len(centres), np.int64)
    outer_of_cell[cell] = large
    second = np.empty(count, np.int64)
    for k in np.unique(large[spilled]):
        places = np.flatnonzero(large[spilled] == k)
        near = np.argsort(((outer - outer[k]) ** 2).sum(axis=1), kind="stable")[:_NEIGHBOURS]
        candidates = np.flatnonzero(np.isin(outer_of_cell, near))
        rows = spilled[places]
        second[places] = _nearest_other(points[rows], cell[rows], centres, candidates)
    return spilled, second


def _nearest_other(
    points: np.ndarray, own: np.ndarray, centres: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """The cell with the nearest centre among two or more `candidates`, except the point's own."""
    among = centres[candidates]
    squares = (among**2).sum(axis=1)
    found = []
    for block in parts(points, 4096):
        # The point's own square is the same for all centres.
        two = tf.math.top_k(2 * tf.matmul(block, among, transpose_b=True) - squares, 2).indices
        found.append(candidates[two.numpy()])
    nearest = np.concatenate(found)
    return np.where(nearest[:, 0] == own, nearest[:, 1], nearest[:, 0])
