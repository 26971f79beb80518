"""Principal components as a part of the rule."""

from __future__ import annotations

import numpy as np
import pytest

from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.sample.space import fit_space
from trainer.settings import ConfigError


@pytest.fixture
def embeddings():
    """300 users who differ in two directions of ten, and hardly in the others."""
    rng = np.random.default_rng(0)
    scales = np.array([3.0, 2.0] + [0.05] * 8)
    return (5.0 + rng.normal(size=(300, 10)) * scales).astype(np.float32)


def config(**settings):
    return ClusteringConfig.from_dict(settings)


def test_without_components_only_the_length_changes(embeddings):
    space = fit_space(embeddings, config())
    assert space.settings() == {"normalize": True, "pca": None}
    assert space.points(embeddings).shape == (300, 10)


def test_share_of_the_variance(embeddings):
    space = fit_space(embeddings, config(pca=0.99, normalize=False))
    assert space.settings()["pca"]["components"] == 2
    assert 0.99 <= space.variance < 1
    points = space.points(embeddings)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-4)
    distances = [np.linalg.norm(values[:100] - values[100:200], axis=1)
                 for values in (embeddings, points)]  # fmt: skip
    np.testing.assert_allclose(distances[1], distances[0], rtol=0.5, atol=0.3)


def test_number_of_components(embeddings):
    assert fit_space(embeddings, config(pca=3)).points(embeddings).shape == (300, 3)
    assert fit_space(embeddings, config(pca=99)).points(embeddings).shape == (300, 10)
    assert fit_space(embeddings[:4], config(pca=99)).points(embeddings).shape == (300, 4)


@pytest.mark.parametrize("pca", [2, 0.9])
def test_nothing_to_find_components_in(embeddings, pca):
    for same in (embeddings[:1], np.repeat(embeddings[:1], 20, axis=0), np.zeros((5, 10))):
        assert fit_space(same, config(pca=pca)).components is None


@pytest.mark.parametrize("pca", [0, 1.5, -1, 0.0])
def test_values_that_make_no_sense(pca):
    with pytest.raises(ConfigError, match="pca"):
        config(pca=pca)
