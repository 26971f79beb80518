"""Gaussian mixture by expectation maximisation (Dempster et al. 1977)."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import exceptions, mixture

from components.sequence_clusterer.algorithms.clustering import Clustering, ClusteringAlgorithm
from trainer.clusters.gaussian_posterior import GaussianPosterior

# Added to every variance, as a share of the points' mean variance: keeps a component from
# shrinking onto a few points, where the likelihood has no bound (Bishop 2006, section 9.2.1).
_REGULARISATION = 1e-3
_LEAST_VARIANCE = 1e-6
_STEPS = 200


class GaussianMixture(ClusteringAlgorithm):
    """The rule is the highest posterior, soft membership the posterior itself."""

    title = "Gaussian mixture"

    def _fit(self, points: np.ndarray, k: int, seed: int) -> Clustering:
        points = points.astype(np.float64)
        variance = float(points.var(axis=0).mean())
        model = mixture.GaussianMixture(
            n_components=k,
            covariance_type=self.config.covariance_type,
            reg_covar=max(_REGULARISATION * variance, _LEAST_VARIANCE),
            n_init=self.config.restarts,
            max_iter=_STEPS,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # After so many steps what still moves is of no consequence to the assignment.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            labels = model.fit_predict(points)
        rule = GaussianPosterior(
            model.means_.astype(np.float32),
            _factors(model.precisions_cholesky_, self.config.covariance_type, k, points.shape[1]),
            np.log(np.maximum(model.weights_, np.finfo(np.float64).tiny)).astype(np.float32),
        )
        single = points.astype(np.float32)
        return Clustering.of(single, rule, single, labels, bic=float(model.bic(points)))


def _factors(cholesky: np.ndarray, covariance_type: str, k: int, dim: int) -> np.ndarray:
    """scikit-learn's factors of the precisions, by their type, as those of `GaussianPosterior`."""
    if covariance_type == "spherical":
        cholesky = np.repeat(cholesky[:, None], dim, axis=1)
    elif covariance_type == "tied":
        cholesky = np.repeat(cholesky[None], k, axis=0)
    return cholesky.astype(np.float32)
