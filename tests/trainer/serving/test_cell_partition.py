"""Cells of items, and second cells for the isolated ones."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.serving.cell_partition import SPILLED, means, partition


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 8))
    return (centres[rng.integers(0, 20, 2000)] + rng.normal(0, 0.3, (2000, 8))).astype(np.float32)


@pytest.fixture(scope="module")
def assigned(points):
    return partition(points, 20, np.random.default_rng(1))


def test_every_item_has_a_cell_and_no_cell_is_empty(points, assigned):
    items, cells = assigned
    np.testing.assert_array_equal(items[:2000], np.arange(2000))
    assert set(cells[:2000]) == set(range(cells.max() + 1))
    assert 60 <= cells.max() + 1 <= 110


def test_the_most_isolated_items_stand_in_the_next_nearest_cell_too(points, assigned):
    items, cells = assigned
    first, spilled, second = cells[:2000], items[2000:], cells[2000:]
    assert len(set(spilled)) == len(spilled) == SPILLED * 2000
    centres = means(points, first)
    distances = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    own = distances[np.arange(2000), first]
    assert own[spilled].min() >= np.delete(own, spilled).max() - 1e-5
    distances[np.arange(2000), first] = np.inf
    # All large cells are neighbours here, so no nearer cell is passed over.
    np.testing.assert_array_equal(second, distances[spilled].argmin(axis=1))


def test_the_same_seed_gives_the_same_cells(points, assigned):
    again = partition(points, 20, np.random.default_rng(1))
    for one, other in zip(assigned, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_few_items(points, count):
    items, cells = partition(points[:count], 4, np.random.default_rng(1))
    assert set(items) == set(range(count))
    assert len(items) == len(cells)


def test_means(points):
    cell = np.array([1, 0, 1])
    expected = [points[1], (points[0] + points[2]) / 2]
    np.testing.assert_allclose(means(points[:3], cell), expected, rtol=1e-5)
