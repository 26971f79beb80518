"""Fits what is done to embeddings before they are clustered."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from components.sequence_clusterer.config import ClusteringConfig
from trainer.clusters.embedding_space import EmbeddingSpace

# Points that vary less than this, summed over dimensions, have no principal components.
_LEAST_VARIANCE = 1e-12


def fit_space(embeddings: np.ndarray, config: ClusteringConfig) -> EmbeddingSpace:
    """Normalisation and, if `config.pca` is set, principal components of the normalised embeddings.

    Args:
        embeddings: float32 [n, dim], of the users that the clusters are fitted on.
        config: `normalize`, `pca` and `seed`.

    Returns:
        The space. It keeps all dimensions where there are no components to find: of one user, or
        of identical embeddings. There are never more components than users or dimensions.
    """
    space = EmbeddingSpace(config.normalize)
    points = space.points(embeddings).astype(np.float64)
    if config.pca is None or float(points.var(axis=0).sum()) < _LEAST_VARIANCE:
        return space
    components = config.pca
    if isinstance(components, int):
        components = min(components, *points.shape)
    model = PCA(components, random_state=config.seed).fit(points)
    return EmbeddingSpace(
        config.normalize,
        model.mean_.astype(np.float32),
        model.components_.astype(np.float32),
        float(model.explained_variance_ratio_.sum()),
    )
