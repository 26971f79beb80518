"""How far clusters agree with labels from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats
from sklearn import metrics

from components.sequence_clusterer.evaluation_record import LabelAgreement, LabelColumn
from components.sequence_clusterer.meaning import significance
from components.sequence_clusterer.meaning.outside_labels import OutsideLabels, natural_order

_SHUFFLES = 999


def label_agreement(
    labels: OutsideLabels, clusters: np.ndarray, seed: int, file: str
) -> LabelAgreement:
    """Compares the clusters with every column of labels.

    Args:
        labels: of the clustered users, in their order.
        clusters: int64 [n], the cluster of each; users without a cluster (-1) are left out.
        seed: of the shuffled labels.
        file: name of their file.
    """
    columns = {name: _agreement(values, clusters, seed) for name, values in labels.columns.items()}
    p_values = np.array([figures["p_value"] for figures in columns.values()])
    q_values = significance.q_values(p_values, len(columns))
    return LabelAgreement(
        file=file,
        users_in_file=labels.users_in_file,
        matched=labels.matched,
        columns=[
            LabelColumn(column=name, q_value=float(q), **figures)
            for (name, figures), q in zip(columns.items(), q_values, strict=True)
        ],
        skipped=labels.skipped,
    )


def _agreement(values: pl.Series, clusters: np.ndarray, seed: int) -> dict[str, Any]:
    """Measures of one column, as `LabelColumn` names them.

    Normalised mutual information (arithmetic mean of the entropies) equals the V-measure
    (Rosenberg & Hirschberg 2007); both rise with the number of clusters even by chance. The
    adjusted mutual information (Vinh, Epps & Bailey 2010) and the adjusted Rand index (Hubert &
    Arabie 1985) are corrected: 0 is what shuffled labels reach on average. The p-value is that of a
    permutation test of the mutual information: tables of shuffled labels are drawn directly, given
    the sizes of clusters and labels (Patefield 1981), and count where they reach as much.
    """
    both = values.is_not_null().to_numpy() & (clusters >= 0)
    names = natural_order(values.drop_nulls().unique().to_list())
    numbers = values.replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
    truth, found = numbers.filter(both).to_numpy(), clusters[both]
    table = np.zeros((int(clusters.max(initial=0)) + 1, len(names)), dtype=np.int64)
    np.add.at(table, (found, truth), 1)
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(truth, found)
    sizes = table.sum(axis=1, keepdims=True)
    return {
        "users": int(both.sum()),
        "users_without_cluster": int((values.is_not_null().to_numpy() & (clusters < 0)).sum()),
        "nmi": float(metrics.normalized_mutual_info_score(truth, found)),
        "ami": float(metrics.adjusted_mutual_info_score(truth, found)),
        "ari": float(metrics.adjusted_rand_score(truth, found)),
        "v_measure": float(v_measure),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
        "p_value": _permutation_p(table, seed),
        "shuffles": _SHUFFLES,
        "values": names,
        "table": table.tolist(),
        "row_shares": (table / np.maximum(sizes, 1)).tolist(),
        "overall_shares": (table.sum(axis=0) / max(table.sum(), 1)).tolist(),
    }


def _permutation_p(table: npt.NDArray[np.int64], seed: int) -> float:
    """How often shuffled labels share as much information with the clusters as the real ones.

    The observed table counts as one of the shuffles, so that the value is never zero.
    """
    used = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(used.shape) < 2:
        return 1.0
    margins = stats.random_table(used.sum(axis=1), used.sum(axis=0), seed=seed)
    shuffled = margins.rvs(_SHUFFLES, method="patefield")
    # With the margins fixed, the mutual information rises and falls with this sum alone.
    observed, others = _information(used), _information(shuffled)
    return float((1 + np.sum(others >= observed - 1e-9)) / (1 + _SHUFFLES))


def _information(tables: np.ndarray) -> np.ndarray:
    """Sum of n log n over the cells of tables [..., rows, columns]."""
    cells = np.maximum(tables, 1).astype(float)
    return np.sum(cells * np.log(cells), axis=(-2, -1))
