"""Invented clusters: a map, and their judgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.sequence_clusterer.choice.stability import reading
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from components.sequence_clusterer.lasting.drift import find_transitions
from tests.helpers.invented_run.hostile import HOSTILE
from tests.helpers.invented_run.profiles import write_profiles


def write_clusters(
    folder: Path, sizes: list[int], actions: tuple[str, ...], rng: np.random.Generator
) -> None:
    evaluation(sizes, rng).write(str(folder))
    k = len(sizes)
    centres = rng.normal(0, 4, (k, 2))
    labels = np.repeat(np.arange(k), sizes)
    points = centres[labels] + rng.normal(0, 1.1, (len(labels), 2))
    pq.write_table(
        pa.table({"x": points[:, 0], "y": points[:, 1], "cluster": labels.astype(np.int64)}),
        folder / "map.parquet",
    )
    write_profiles(folder, sizes, actions, rng)


def evaluation(
    sizes: list[int], rng: np.random.Generator | None = None, **update: Any
) -> EvaluationRecord:
    """The judgement of clusters of these sizes; `update` replaces fields."""
    rng = np.random.default_rng(7) if rng is None else rng
    k = len(sizes)
    by_k = [
        {
            "k": n,
            "silhouette": 0.31 - 0.02 * abs(n - k),
            "silhouette_ci": [0.29 - 0.02 * abs(n - k), 0.33 - 0.02 * abs(n - k)],
            "inertia": 90_000 / n**0.7,
            "sizes": [sum(sizes) // n] * n,
        }
        for n in range(2, 11)
    ]
    return EvaluationRecord.model_validate(
        {
            "algorithm": "kmeans",
            "representation": "mean of the last states",
            "preprocess": {},
            "rule": "nearest_prototype",
            "rule_agreement": 1.0,
            "chosen_k": k,
            "k_from": "silhouette" if k > 1 else "config",
            "reason": f"K = {k} has the highest silhouette of 2 to 10.",
            "by_k": by_k if k > 1 else [],
            "elbow_k": 4 if k > 1 else None,
            "gap_k": None,
            "users": sum(sizes),
            "sampled": min(sum(sizes), 5_000),
            "sizes": sizes,
            "noise": 0,
            "small_clusters": [],
            "separation": None,
            "lasting": {"ids": list(range(k)), "how": "first", "reason": ""},
            **_judgement(sizes, by_k, rng),
            **({"labels": _labels(sizes)} if k > 1 else {}),
            **update,
        }
    )


def _judgement(
    sizes: list[int], by_k: list[dict[str, Any]], rng: np.random.Generator
) -> dict[str, Any]:
    """Candidates, stability and drift as SequenceClusterer writes them; clusters 1 and 2 mix."""
    k = len(sizes)
    if k == 1:
        return {
            "clusters_found": None,
            "candidates": [],
            "stability": None,
            "silhouette_by_cluster": [None],
            "silhouette_spread": [None],
            "drift": {"reason": "there is only one cluster"},
        }
    together = np.full((k, k), 0.02) + np.diag(np.full(k, 0.93))
    together[1, 2 % k] = together[2 % k, 1] = 0.41
    jaccard = [0.91, 0.79, *([0.66] * k)][: k - 1] + [0.42]
    stability = {
        "ari_resampled": 0.71, "ari_resampled_ci": [0.62, 0.83], "ari_reseeded": 0.88,
        "jaccard": jaccard, "readings": [reading(value) for value in jaccard],
        "together": together.tolist(), "resamples": 20, "users": 2_000,
    }  # fmt: skip
    means = [0.45 - 0.4 * i / k for i in range(k)]
    spread = [
        {
            "users": n,
            "quantiles": (mean + 0.3 * np.linspace(-1, 1, 21)).tolist(),
            "below_zero": 0.125 if mean < 0.3 else 0.0,
        }
        for n, mean in zip(sizes, means, strict=True)
    ]
    then = rng.integers(0, k, 1_000)
    now = np.where(rng.random(1_000) < 0.8, then, rng.integers(0, k, 1_000))
    made_then = np.minimum(then, max(k - 2, 0))
    now[:7] = -1
    return {
        "clusters_found": True,
        "candidates": [
            {
                **{name: entry[name] for name in ("k", "sizes", "silhouette", "silhouette_ci")},
                "algorithm": algorithm,
                "inertia": entry["inertia"],
                "smallest_cluster": min(entry["sizes"]),
                "noise_share": 0.0 if algorithm == "kmeans" else 0.034,
                "davies_bouldin": 0.8 + 0.1 * entry["k"],
                "calinski_harabasz": 4_583.3 - entry["k"],
                "bic": None if algorithm == "kmeans" else -71_175.35,
                "gap": None,
                "gap_error": None,
                "silhouette_by_cluster": [None] * entry["k"],
                "separation": {"groups": entry["k"], "level": 0.05, "ratios": [], "separated": []},
                "stability": stability | {"ari_resampled": 0.9 - 0.04 * entry["k"]},
            }
            for algorithm in ("kmeans", "gaussian_mixture")
            for entry in by_k
        ],
        "stability": stability,
        "silhouette_by_cluster": means,
        "silhouette_spread": spread,
        "drift": {
            "moment": 1_716_999_613,
            "users": 1_000,
            "changed": float((then != now).mean()),
            "assigned": find_transitions(then, now, k, k).to_record(),
            "refitted": find_transitions(made_then, now, max(k - 1, 1), k).to_record(),
            "ari": 0.43,
        },
    }


def _labels(sizes: list[int]) -> dict[str, Any]:
    """An age that the clusters know something of, and an income that they do not."""
    table = [[size // 2, size - size // 2] for size in sizes]
    column = {
        "users_without_cluster": 0, "shuffles": 999,
        "users": sum(sizes), "nmi": 0.1234, "ami": 0.0912, "ari": -0.0021, "v_measure": 0.1234,
        "homogeneity": 0.2, "completeness": 0.09, "p_value": 0.001, "q_value": 0.002,
        "values": ["19-24", HOSTILE], "table": table, "row_shares": [[0.5, 0.5]] * len(sizes),
        "overall_shares": [0.47, 0.53],
    }  # fmt: skip
    chance = {**column, "column": "income", "nmi": 0.004, "ami": -0.0001, "p_value": 0.6}
    return {
        "file": "demographics.parquet",
        "users_in_file": 9_801,
        "matched": sum(sizes),
        "columns": [{**column, "column": "age"}, {**chance, "q_value": 0.6}],
        "skipped": {"zip": "4,321 different values, more than 100: not a label"},
    }
