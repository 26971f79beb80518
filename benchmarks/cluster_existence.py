"""How often each test finds clusters where there are none, and misses those that there are.

Usage: python benchmarks/cluster_existence.py [--users 2000] [--dim 64] [--repetitions 20]
                                              [--others 5] [--clouds NAME …] [--output FILE]

Point clouds without clusters (continua of many shapes) and with planted ones are scaled to length
one and clustered by k-means with K = 1 to 8. Prints, for every cloud, how often each of these
finds clusters: the decision of SequenceClusterer (valleys of low density), the gap statistic (its
rule gives K > 1), the silhouette (its highest value is above those of 9 Gaussian clouds with the
same covariance), stability (a K with an adjusted Rand index over resamples of at least .8) and BIC
(lowest at K > 1); and for planted clouds what K the decision chose and the adjusted Rand index
with the truth. The last four tests take longer and are run `--others` times only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from components.sequence_clusterer.algorithms import Clustering, KMeans
from components.sequence_clusterer.choice.candidates import Candidate
from components.sequence_clusterer.choice.decision import Decision, decide
from components.sequence_clusterer.choice.gap_statistic import gap_k, gap_statistic
from components.sequence_clusterer.choice.information_criterion import spherical_bic
from components.sequence_clusterer.choice.internal_measures import SilhouetteSample
from components.sequence_clusterer.choice.separation import Separation, measure_separation
from components.sequence_clusterer.choice.stability import measure_stability
from components.sequence_clusterer.config import ClusteringConfig
from trainer.clusters.embedding_space import EmbeddingSpace

MOST_CLUSTERS = 8
REFERENCES = 9
STABLE = 0.8
SILHOUETTE_USERS = 1_000

Cloud = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]


def gaussian(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Uniform on the sphere, once scaled to length one."""
    return rng.normal(size=(n, dim))


def cap(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """A round blob away from the origin."""
    return rng.normal(size=(n, dim)) * 0.1 + _direction(rng, dim)


def long_gaussian(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Variances fall as 1 / axis^1.5, away from the origin."""
    return rng.normal(size=(n, dim)) * _spectrum(dim, 1.5) + _direction(rng, dim)


def two_caps(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """One axis dominates, centred at the origin: length one makes two caps of it."""
    return rng.normal(size=(n, dim)) * _spectrum(dim, 2.0)


def plate(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Uniform on a rectangle, thin in all other directions."""
    points = rng.normal(size=(n, dim)) * 0.1
    points[:, :2] = rng.uniform((-1, -0.7), (1, 0.7), (n, 2))
    return points + 3 * _direction(rng, dim)


def topics(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Mixtures of eight topics with uniform shares, and noise."""
    shares = rng.dirichlet(np.ones(8), n)
    return shares @ rng.normal(size=(8, dim)) + 0.2 * rng.normal(size=(n, dim))


def heavy_tails(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Student's t with three degrees of freedom, long axes."""
    scale = np.sqrt(rng.chisquare(3, (n, 1)) / 3)
    return rng.normal(size=(n, dim)) * _spectrum(dim, 1.0) / scale + 3 * _direction(rng, dim)


def skewed(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Exponential along every axis, long axes."""
    return rng.exponential(size=(n, dim)) * _spectrum(dim, 1.0) + 3 * _direction(rng, dim)


def half_circle(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """A bent continuum: a half-circle with noise of .15 of its radius."""
    angle = rng.uniform(0, np.pi, n)
    points = rng.normal(size=(n, dim)) * 0.15
    points[:, 0] += np.cos(angle)
    points[:, 1] += np.sin(angle)
    return points + 3 * _direction(rng, dim)


def planted(
    clusters: int,
    distance: float,
    shares: tuple[float, ...] = (),
    correlated: bool = False,
) -> Cloud:
    """Gaussian clusters whose centres are `distance` standard deviations apart, each from each.

    Args:
        clusters: how many; their centres span as many axes, noise fills all.
        distance: of two centres, in standard deviations of a cluster along one axis.
        shares: of the clusters; equal if empty.
        correlated: variances within a cluster fall as 1 / axis, with the same mean.
    """

    def draw(rng: np.random.Generator, n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.choice(clusters, n, p=shares or None)
        centres = np.linalg.qr(rng.normal(size=(dim, clusters)))[0].T * distance / np.sqrt(2)
        scale = _spectrum(dim, 1.0) if correlated else np.ones(dim)
        scale *= np.sqrt(dim / (scale**2).sum())
        turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
        points = (rng.normal(size=(n, dim)) * scale) @ turn + centres[truth]
        return points + 2 * np.sqrt(dim) * _direction(rng, dim), truth

    return draw


CONTINUA = (
    gaussian,
    cap,
    long_gaussian,
    plate,
    topics,
    heavy_tails,
    skewed,
    half_circle,
    two_caps,
)
PLANTED: dict[str, Cloud] = {
    "two, 4 apart": planted(2, 4),
    "five, 6 apart": planted(5, 6),
    "five, 4 apart": planted(5, 4),
    "five, 3 apart": planted(5, 3),
    "eight, 6 apart": planted(8, 6),
    "four, 6 apart, 60/25/10/5 %": planted(4, 6, (0.6, 0.25, 0.1, 0.05)),
    "five, 6 apart, correlated": planted(5, 6, correlated=True),
    "five, 10 apart, correlated": planted(5, 10, correlated=True),
}


def _direction(rng: np.random.Generator, dim: int) -> np.ndarray:
    vector = rng.normal(size=dim)
    return np.asarray(vector / np.linalg.norm(vector))


def _spectrum(dim: int, power: float) -> np.ndarray:
    """Standard deviations of the axes, whose squares fall as 1 / axis^power."""
    return np.arange(1, dim + 1) ** (-power / 2)


def judge(points: np.ndarray, seed: int) -> tuple[Decision, dict[int, Clustering]]:
    """The decision of SequenceClusterer, from what it reads of the candidates."""
    config = ClusteringConfig(seed=seed, silhouette_sample=SILHOUETTE_USERS)
    algorithm = KMeans(config)
    sample = SilhouetteSample(points, SILHOUETTE_USERS, seed)
    fitted = {k: algorithm.fit(points, k, seed) for k in range(1, MOST_CLUSTERS + 1)}

    def separation(k: int) -> Separation | None:
        def fit(half: np.ndarray) -> np.ndarray:
            return algorithm.fit(half, k, seed).centroids

        return measure_separation(points, fit, fitted[k].centroids, seed)

    candidates = [
        Candidate(
            algorithm="kmeans",
            clustering=clustering,
            sizes=clustering.sizes,
            noise_share=0.0,
            silhouette=sample.measure(clustering.labels, k),
            davies_bouldin=None,
            calinski_harabasz=None,
            bic=None,
            gap=None,
            gap_error=None,
            separation=separation(k),
            stability=None,
        )
        for k, clustering in fitted.items()
    ]
    return decide(candidates, config, len(points), ""), fitted


def others(points: np.ndarray, fitted: dict[int, Clustering], seed: int) -> dict[str, bool]:
    """Whether the usual indices speak for more than one cluster."""
    algorithm = KMeans(ClusteringConfig(restarts=1))
    gaps = gap_statistic(points, algorithm, list(fitted), seed)
    stability = [
        measure_stability(points, fitted[k].labels, algorithm, k, seed) for k in fitted if k > 1
    ]
    bic = {k: spherical_bic(points, clustering.labels, k) for k, clustering in fitted.items()}
    rng = np.random.default_rng(seed)
    few = points[rng.choice(len(points), min(len(points), SILHOUETTE_USERS), replace=False)]
    covariance = np.cov(few, rowvar=False)
    references = [
        EmbeddingSpace(True).points(rng.multivariate_normal(few.mean(axis=0), covariance, len(few)))
        for _ in range(REFERENCES)
    ]
    return {
        "gap": (gap_k(gaps) or 1) > 1,
        "silhouette": _highest(few, seed) > max(_highest(cloud, seed) for cloud in references),
        "stability": any(s is not None and s.resampled >= STABLE for s in stability),
        "bic": min(bic, key=lambda k: bic[k] or 0.0) > 1,
    }


def _highest(points: np.ndarray, seed: int) -> float:
    """The highest silhouette over K."""
    algorithm = KMeans(ClusteringConfig(restarts=1))
    sample = SilhouetteSample(points, len(points), seed)
    found = [
        sample.measure(algorithm.fit(points, k, seed).labels, k).mean
        for k in range(2, MOST_CLUSTERS + 1)
    ]
    return max(value for value in found if value is not None)


def main() -> None:
    """Runs the simulation and prints a row for every cloud."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--others", type=int, default=5)
    parser.add_argument("--clouds", nargs="*", default=[])
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()

    def without_truth(make: Callable[..., np.ndarray]) -> Cloud:
        return lambda rng, n, dim: (make(rng, n, dim), np.zeros(n, dtype=np.int64))

    clouds = {make.__name__: without_truth(make) for make in CONTINUA} | PLANTED
    rows: dict[str, Any] = {}
    for name, cloud in clouds.items():
        if arguments.clouds and name not in arguments.clouds:
            continue
        found, ks, agreement = [], [], []
        indices: dict[str, list[bool]] = {}
        for seed in range(arguments.repetitions):
            raw, truth = cloud(np.random.default_rng(seed), arguments.users, arguments.dim)
            points = EmbeddingSpace(True).points(raw)
            decision, fitted = judge(points, seed)
            found.append(bool(decision.clusters_found))
            ks.append(decision.candidate.k)
            agreement.append(adjusted_rand_score(truth, decision.candidate.clustering.labels))
            if seed < arguments.others:
                for index, says in others(points, fitted, seed).items():
                    indices.setdefault(index, []).append(says)
        rows[name] = {
            "decision": float(np.mean(found)),
            **{index: float(np.mean(says)) for index, says in indices.items()},
        }
        if name in PLANTED:
            rows[name] |= {"median_k": float(np.median(ks)), "ari": float(np.median(agreement))}
        print(
            f"{name:30s}", *(f"{key} {value:.2f}" for key, value in rows[name].items()), flush=True
        )
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
