"""Artifact folders of an invented run, as the other components would leave them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from scipy.special import ndtr
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.proto import config_pb2, validation_result_pb2
from tensorflow_model_analysis.writers import metrics_plots_and_validations_writer as writer

from components.baseline_model.record import BaselineRecord
from components.behavior_example_gen.quality_record import (
    AskedTask,
    DataQualityRecord,
    HeldOut,
    Period,
    SourceFile,
    SplitCuts,
    TieOrder,
)
from components.cluster_combiner.record import (
    CombinationRecord,
    ComparisonRecord,
    SliceComparison,
    SplitComparison,
    Strengths,
    TransitionsRecord,
)
from components.cluster_combiner.worth import judge
from components.gates.config import GatesConfig
from components.gates.eval_config import (
    ASKED,
    BASELINE,
    BEYOND_ASKED,
    CANDIDATE,
    FREE_VALUE,
    JUDGED_BY,
    LEAD_OVER_FREE,
    LOSS_P_VALUE,
    build_eval_config,
)
from components.gates.push_record import PushRecord
from components.run_report.sources import RunFolders
from components.sequence_clusterer.choice.stability import reading
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from components.sequence_clusterer.lasting.drift import find_transitions
from components.sequence_clusterer.profiles_record import (
    ClusterProfile,
    LiftedCategory,
    LiftedItem,
    ProfilesRecord,
    ProfileTests,
    Trait,
)
from trainer.evaluation.chance import holm
from trainer.evaluation.metrics import BASKET_PRIMARY
from trainer.training.training_record import Epoch, Reasoned, TrainingRecord, TunedSetting

HOSTILE = "<script>alert('x')</script> & \"Söhne\" soda, 12 × 355 ml"
MODELS = {
    "popularity": 0.0421,
    "own_items": 0.1020,
    "encoder": 0.1150,
    "global": 0.1184,
    "routed": 0.1172,
}
HOURS = ("night", "morning", "afternoon", "evening")
CATEGORIES = ("SOFT DRINKS", "FLUID MILK PRODUCTS", "BAKED BREAD", "CHEESE", "BABY FOODS", "WINE")
ITEMS = ("2% milk, gallon", "White bread, 20 oz", "Cheddar, shredded", "Bananas", "Pinot noir")


def write_run(
    root: Path,
    *,
    clusters: int = 5,
    trained: bool = True,
    items: bool = True,
    blessed: bool | None = True,
    same_model: bool = False,
    details: bool = True,
    actions: tuple[str, ...] = ("purchase",),
) -> RunFolders:
    """Writes everything but the TFMA evaluation, which `write_evaluation` makes."""
    rng = np.random.default_rng(7)
    sizes = [int(n) for n in sorted(rng.integers(90, 900, clusters), reverse=True)]
    _data_quality(root / "data_quality", sum(sizes), actions)
    _training(root / "encoder_run", "encoder", 12, 0.1241, rng)
    runs = []
    for k in range(clusters):
        folder = root / f"cluster_{k}_run"
        if trained and k != clusters - 1:
            _training(folder, f"cluster_{k}", 6, 0.11 + 0.01 * k, rng, first=0)
        else:
            reason = f"{sizes[k]} users, fewer than the 200 it takes"
            unchanged_trainer(k, reason, sizes[k]).write(str(folder))
        runs.append(str(folder))
    _clusters(root / "cluster_evaluation", sizes, actions, rng)
    _comparison(root / "comparison", sizes, trained, details)
    if items:
        _items(root / "items")
    if blessed is not None:
        (root / "blessing").mkdir(parents=True)
        (root / "blessing" / ("BLESSED" if blessed else "NOT_BLESSED")).touch()
    if same_model:
        baseline = BaselineRecord("served", "1700000000", "it is the stable version")
    else:
        baseline = BaselineRecord("own_items", "fff000", "own items are better on validation")
    (root / "baseline").mkdir()
    baseline.write(str(root / "baseline"))
    PushRecord("1732430000", "out/serving/1732430000", served=same_model).write(
        str(root / "pushed_model")
    )
    return RunFolders(
        data_quality=str(root / "data_quality"),
        encoder_run=str(root / "encoder_run"),
        specialist_runs=tuple(runs),
        cluster_evaluation=str(root / "cluster_evaluation"),
        comparison=str(root / "comparison"),
        blessing=str(root / "blessing"),
        items=str(root / "items"),
        pushed_model=str(root / "pushed_model"),
        baseline=str(root / "baseline"),
    )


def write_evaluation(
    folder: Path, scores: dict[int | None, Sequence[float]], gates: GatesConfig | None = None
) -> str:
    """An evaluation as TFMA stores it, judged by TFMA's own validator.

    Args:
        folder: of the ModelEvaluation artifact.
        scores: by cluster (None = all users) NDCG@10 of candidate and baseline, and the largest
            difference that chance explains: 1.645 standard errors. The best free baseline has half
            of the candidate's.
        gates: what the Evaluator asks for; the baseline counts as served.
    """
    gates = gates or GatesConfig()
    config = tfma.utils.update_eval_config_with_defaults(
        build_eval_config(gates), has_baseline=True
    )

    def p_value(candidate: float, baseline: float, chance: float) -> float:
        return float(ndtr(1.645 * (candidate - baseline + gates.max_cluster_loss) / chance))

    smallest = min(
        holm([p_value(*found) for cluster, found in scores.items() if cluster is not None]),
        default=1.0,
    )
    result = validation_result_pb2.ValidationResult(validation_ok=True)
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "metrics-00000-of-00001.tfrecord")) as metrics_file:
        for cluster, (candidate, baseline, chance) in scores.items():
            slice_ = () if cluster is None else (("cluster_id", cluster),)
            change = candidate - baseline
            measures = {
                _key("users"): 1000.0,
                _key(JUDGED_BY): candidate,
                _key(JUDGED_BY, BASELINE): baseline,
                _key(JUDGED_BY, is_diff=True): change,
                _key(FREE_VALUE, is_diff=True): candidate / 2,
                _key(LEAD_OVER_FREE, is_diff=True): 0.5,
                _key(BEYOND_ASKED, is_diff=True): (change - chance) / baseline + gates.max_loss,
                _key(ASKED, is_diff=True): -gates.max_loss,
                _key(LOSS_P_VALUE, is_diff=True): p_value(candidate, baseline, chance),
                _key(f"{JUDGED_BY}_cluster_p_value", is_diff=True): smallest,
            }
            part = metrics_validator.validate_metrics((slice_, measures), config)
            result.validation_ok &= part.validation_ok
            result.metric_validations_per_slice.extend(part.metric_validations_per_slice)
            metrics_validator.merge_details(result, part)
            record = writer.convert_slice_metrics_to_proto((slice_, measures), None)
            metrics_file.write(record.SerializeToString())
    missing = metrics_validator.get_missing_slices(
        result.validation_details.slicing_details, config
    )
    result.missing_slices.extend(missing)
    with tf.io.TFRecordWriter(str(folder / "validations.tfrecord")) as file:
        file.write(result.SerializeToString())
    run = config_pb2.EvalRun(eval_config=config, version=tfma.__version__)
    (folder / "eval_config.json").write_text(json_format.MessageToJson(run), encoding="utf-8")
    return str(folder)


def _key(name: str, model: str = CANDIDATE, *, is_diff: bool = False) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model, is_diff=is_diff)


def with_evaluation(folders: RunFolders, evaluation: str) -> RunFolders:
    return dataclasses.replace(folders, evaluation=evaluation)


def _data_quality(folder: Path, users: int, actions: tuple[str, ...]) -> None:
    start = dt.datetime(2017, 1, 1)
    weeks = [start + dt.timedelta(days=7 * i) for i in range(53)]
    events = [int(26_000 + 3_000 * np.sin(i / 4) + 1_500 * (i % 3)) for i in range(53)]
    rows = sum(events) + 54_430
    DataQualityRecord(
        files=[SourceFile(name="transactions.parquet", rows=rows)],
        rows_read=rows,
        events_kept=sum(events),
        users=users,
        items=12_345,
        trained_items=11_002,
        bad_rows=3,
        bad_fraction=3 / rows,
        dropped={"duplicate": 5_012, "rare_item": 48_211, "unreadable": 3, "cancellation": 1_204},
        left_out_of_training={"rare_item": 7_310},
        columns={
            "user_id": "household_id",
            "item_id": "product_id",
            "timestamp": "transaction_timestamp",
            "price": None,
        },
        actions={name: sum(events) // (i + 1) for i, name in enumerate(actions)},
        first_event="2017-01-01T11:53:26+00:00",
        last_event="2018-01-01T04:01:20+00:00",
        events_per_period=[
            Period(start=week.isoformat() + "+00:00", events=n)
            for week, n in zip(weeks, events, strict=True)
        ],
        events_per_user={
            "min": 2, "p25": 190, "median": 452, "p75": 889, "p99": 2_310, "max": 4_120,
        },
        split=SplitCuts(
            method="temporal",
            validation_cut="2017-10-20T00:00:00+00:00",
            test_cut="2017-11-26T12:30:00+00:00",
            histories={"train": users, "validation": users - 90, "test": users - 120},
        ),
        task=AskedTask(asked="auto", resolved="next_basket", period_days=None),
        held_out={
            name: HeldOut(
                users=users - 90, items=9_876, unknown_items=543, several_items=0.834,
                median_items=7.0,
            )
            for name in ("validation", "test")
        },
        tie_order=TieOrder(rule="drawn", neighbours=987_654, ascending={"item_id": 0.999}),
        times_are_days=False,
        notes=["Times without a zone were read as UTC."],
        quarantine="quarantine.csv",
        repeat_share=0.487,
    ).write(str(folder))  # fmt: skip
    (folder / "quarantine.csv").write_text(
        'file,line,reason,content\na.csv,3,unreadable,x\na.csv,9,unreadable,"y\nz"\n'
        "a.csv,12,bad_timestamp,w\n"
    )


def _training(
    folder: Path, name: str, epochs: int, best: float, rng: np.random.Generator, first: int = 1
) -> None:
    peak = epochs - 3 + first
    scores = [
        best * (1 - 0.4 * float(np.exp(-e / 2)))
        if e < peak
        else best
        if e == peak
        else best * 0.97 - 0.001 * float(rng.random())
        for e in range(first, epochs + first)
    ]
    TrainingRecord(
        name=name,
        status="trained",
        reason="",
        epochs=[
            Epoch(epoch=e, loss=5 + 3.5 * float(np.exp(-e / 3)), val_ndcg=score, seconds=11.5)
            for e, score in enumerate(scores, start=first)
        ],
        best_epoch=peak,
        seconds=11.5 * epochs,
        samples=131_413,
        settings={"learning_rate": 0.0005, "epochs": 40, "patience": 3},
        derived={"batch_size": Reasoned(value=256, why="131,413 samples of mean length 9")},
        tuned={"training.learning_rate": TunedSetting(value=0.0021, configured=0.001)},
    ).write(str(folder))


def unchanged_trainer(cluster: int, reason: str, samples: int = 0) -> TrainingRecord:
    """A specialist that was not trained."""
    return TrainingRecord(
        name=f"cluster_{cluster}",
        status="unchanged",
        reason=reason,
        epochs=[],
        best_epoch=0,
        seconds=0.4,
        samples=samples,
        settings={},
        tuned={},
        derived={},
    )


def _clusters(
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
    profiles = []
    for i, size in enumerate(sizes):
        hours = np.exp(-(((np.arange(24) - 10 - 2 * i) / 4.0) ** 2)) + 0.02
        shares = rng.dirichlet(np.ones(len(actions)) * 4)
        profiles.append(
            cluster_profile(
                i,
                f"{HOURS[i % 4]} shoppers · {CATEGORIES[i % 3].lower()} · small baskets",
                users=size,
                share=size / sum(sizes),
                events_per_user_median=120.5 + 100 * i,
                span_days_median=331.2 - 20 * i,
                top_items=[
                    LiftedItem(
                        item_id=f"00{i}{j}",
                        title=HOSTILE if (i, j) == (0, 0) else title,
                        **with_test(
                            4.2 / (j + 1) + 0.8,
                            [4.0 / (j + 1) + 0.7, 4.4 / (j + 1) + 0.9],
                            share=0.31 / (j + 1),
                            significant=j < 2,
                        ),
                    )
                    for j, title in enumerate((*ITEMS[1:], ""))
                ],
                top_categories=[
                    LiftedCategory(
                        category=name, **with_test(3.1 - 0.4 * j, None, share=0.09 / (j + 1))
                    )
                    for j, name in enumerate(CATEGORIES[i % 3 :])
                ],
                actions=dict(zip(actions, shares.tolist(), strict=True)),
                hours=(hours / hours.sum()).tolist(),
                price_median=2.49 + i,
                traits=[
                    trait("day_part", i % 4, 1.84, [1.62, 2.06]),
                    trait("category", HOSTILE, 1.5, [1.31, 1.7]),
                    trait("item", "0040", 3.0, None),
                    trait("action", "view", 1.3, [1.2, 1.4]),
                    trait("measure", "basket_size", 0.6, [0.5, 0.7]),
                ],
            )
        )
    ProfilesRecord(clusters=profiles, users=sum(sizes)).write(str(folder))


def with_test(
    lift: float | None, ends: list[float] | None, share: float = 0.1, significant: bool = True
) -> dict[str, Any]:
    """What every tested figure has."""
    figures = {"share": share, "overall": 0.1, "lift": lift, "lift_ci": ends}
    return {**figures, "p_value": 0.001, "q_value": 0.002, "significant": significant}


def trait(kind: str, value: str | int, lift: float | None, ends: list[float] | None) -> Trait:
    return Trait(kind=kind, value=value, reach=0.4, z=5.0, **with_test(lift, ends))


def cluster_profile(cluster: int, name: str, **figures: Any) -> ClusterProfile:
    """A profile with as much as is given, the rest empty."""
    empty: dict[str, Any] = {
        "lasting_id": cluster, "last_name": None, "users": 0, "share": 0.0,
        "events_per_user_median": None, "span_days_median": None, "top_items": [],
        "top_categories": [], "actions": {}, "hours": [], "price_median": None, "traits": [],
        "tests": {key: [] for key in ProfileTests.model_fields},
    }  # fmt: skip
    return ClusterProfile.model_validate({**empty, "cluster": cluster, "name": name, **figures})


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


def _metrics(ndcg: float, users: int) -> dict[str, float]:
    return {
        "hr@5": ndcg * 1.3, "hr@10": ndcg * 1.75, "hr@20": ndcg * 2.3, "ndcg@5": ndcg * 0.84,
        "ndcg@10": ndcg, "ndcg@20": ndcg * 1.15, "mrr": ndcg * 0.8,
        "coverage@20": ndcg * 2.2, "users": users,
    }  # fmt: skip


def _all_models(level: float, users: int, gain: float) -> dict[str, dict[str, float]]:
    scores = {name: score * level for name, score in MODELS.items()}
    scores["combiner"] = scores["global"] + gain
    return {name: _metrics(score, users) for name, score in scores.items()}


def _comparison(folder: Path, sizes: list[int], trained: bool, details: bool) -> None:
    splits: dict[str, Any] = {}
    for split, level in (("validation", 1.05), ("test", 1.0)):
        lengths = {"1-4": 31, "5-9": 88, "10-19": 210, "20-49": 340, "50+": 1_500, "0": 0}
        overall = _all_models(level, sum(sizes), 0.0012 if trained else 0.0)
        bands = {"0": 60, "1-5": 110, "21+": 900, "6-20": 440} if details else {}
        if details:
            for metrics in overall.values():
                for k, share in ((10, 0.6), (20, 0.9)):
                    metrics[f"basket_recall@{k}"] = metrics["ndcg@10"] * share
                    metrics[f"basket_ndcg@{k}"] = metrics["ndcg@10"] * (share + 0.5)
        splits[split] = SplitComparison(
            users=sum(sizes),
            overall=overall,
            by_cluster={
                str(k): SliceComparison(
                    users=n,
                    models=_all_models(
                        level * (0.7 + 0.15 * k), n, 0.002 - 0.001 * k if trained else 0.0
                    ),
                )
                for k, n in enumerate(sizes)
            },
            by_history_length={
                name: SliceComparison(
                    users=n, models=_all_models(0.5 + i * 0.12, n, 0.001) if n else {}
                )
                for i, (name, n) in enumerate(lengths.items())
                if details
            },
            by_target_frequency={
                name: SliceComparison(users=n, models=_all_models(0.3 + n / 1000, n, 0.001))
                for name, n in bands.items()
            },
        )
    ComparisonRecord(task="next_item", models=[*MODELS, "combiner"], splits=splits).write(
        str(folder)
    )
    weights = [0.62] + [0.38 / len(sizes)] * len(sizes) if trained else [1.0] + [0.0] * len(sizes)
    strengths = [0.4 if trained else 0.0] * len(sizes)
    CombinationRecord(
        clusters=len(sizes),
        kept=trained,
        reason="NDCG@10 rises by 0.0012 on held-out users."
        if trained
        else "No specialist was trained.",
        weights_mean=weights,
        parameters=Strengths(strengths=strengths, fitted_strengths=strengths),
        transitions=TransitionsRecord(
            weight=0.5, difference=0.003, low=0.001, high=0.005, reason="a clear gain"
        ),
    ).write(str(folder))
    _worth(folder, len(sizes), trained)


def _worth(folder: Path, clusters: int, trained: bool) -> None:
    """As ClusterCombiner writes it, with controls that do not reach the combiner."""
    gains = {"routed": 0.02, "combiner": 0.05, "continued": 0.01, "random_combiner": 0.01}
    columns = {
        f"{name}_{BASKET_PRIMARY}": _values(clusters, gain)
        for name, gain in {"global": 0.0, **gains}.items()
    }
    table = pl.DataFrame({"cluster": np.arange(3000) % clusters, **columns})
    both = pl.concat([table.with_columns(split=pl.lit(x)) for x in ("validation", "test")])
    worth = judge(both, used=trained)
    worth.model_copy(update={"serving_ms": {"combined": 4.2}}).write(str(folder))


def _values(clusters: int, gain: float) -> np.ndarray:
    """NDCG@10 of 3,000 users, of whom a further `gain` finds the item; none of cluster 0."""
    rng = np.random.default_rng(5)
    first = rng.random(3000) < np.where(np.arange(3000) % clusters == 0, 0.3, 0.3 + gain)
    return first.astype(float)


def _items(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"00{i}{j}" for i in range(16) for j in range(5)]
    pq.write_table(
        pa.table(
            {
                "item_id": ids,
                "title": [f"Catalogue title {item}" if item.endswith("4") else "" for item in ids],
                "category": [""] * len(ids),
            }
        ),
        folder / "items.parquet",
    )
