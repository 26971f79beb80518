"""Executor of ClusterCombiner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import tensorflow as tf
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.cluster_combiner.behavior_head import fit_behavior_head
from components.cluster_combiner.combiner_inputs import JUDGED_SPLITS, CombinerInputs
from components.cluster_combiner.compared_queries import (
    Queries,
    compared_queries,
    fit_specialists,
    score_splits,
    weigh_transitions,
    with_transitions,
)
from components.cluster_combiner.comparison import rank_models, serve_global, summarise
from components.cluster_combiner.counted import (
    choose_counted,
    chosen_ranks,
    counted_record,
    write_opponent,
)
from components.cluster_combiner.fitting import Fit
from components.cluster_combiner.index import index_cells
from components.cluster_combiner.item_counts import training_counts
from components.cluster_combiner.latency import serving_milliseconds
from components.cluster_combiner.peers import peers_record, train_peers
from components.cluster_combiner.record import (
    CombinationRecord,
    ComparisonRecord,
    Metrics,
    Strengths,
    WorthRecord,
)
from components.cluster_combiner.scored import Scored
from components.cluster_combiner.served_models import ServedModels
from components.cluster_combiner.shelves import shelves_record
from components.cluster_combiner.transitions import TransitionsFit
from components.cluster_combiner.worth import COMBINATION, judge
from trainer.evaluation.baselines.selection import ChosenBaseline, Selection
from trainer.evaluation.compared_models import COMBINER
from trainer.evaluation.peers.library import check_library
from trainer.evaluation.peers.selection import TrainedPeer
from trainer.progress import progress
from trainer.raw_history import TEST, VALIDATION
from trainer.serving.export import save_recommender
from trainer.serving.warmup import write_warmup
from trainer.training.memory import release_memory
from trainer.uri_files import write_parquet

_WARMUP_HISTORIES = 8
_METRICS = ("users", "ndcg@10", "hr@10")
"""What a model says about itself wherever it is taken."""


class Executor(base_executor.BaseExecutor):
    """Fits the combination, compares the models, decides, exports."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the combined SavedModel and the comparison.

        Args:
            input_dict: see `ClusterCombiner`.
            output_dict: `model`, `comparison`, `judged`.
            exec_properties: see `ClusterCombiner`.
        """
        release_memory()
        inputs = CombinerInputs.read(input_dict, exec_properties)
        check_library(inputs.config.peers)
        training = inputs.histories(inputs.training)

        scored = score_splits(inputs)
        counted = choose_counted(
            training, scored[VALIDATION].histories, inputs.encoder, inputs.seed
        )
        transitions = weigh_transitions(inputs, counted.transitions, scored[VALIDATION])
        scored = with_transitions(scored, transitions)
        fit = fit_specialists(inputs, scored[VALIDATION])

        queries = compared_queries(inputs, scored, fit, transitions)
        peers = train_peers(inputs, training, scored[VALIDATION].histories)
        table = _rank_splits(inputs, scored, queries, {**counted.chosen, **peers.chosen})
        worth = judge(table, used=fit.kept)
        if fit.kept and worth.recommendation != COMBINATION:
            fit = fit.refused(worth.why)
            table = serve_global(table)
        _tell(fit, worth)

        behavior = fit_behavior_head(inputs, training)
        comparison = summarise(
            table,
            inputs.evaluation,
            counted_record(counted),
            peers_record(peers, table),
            inputs.target_actions,
            shelves_record(table),
        ).model_copy(update={"behavior": behavior.record})
        weights = _mean_weights(fit, scored[TEST])
        cells = index_cells(
            inputs.encoder, queries[VALIDATION][COMBINER], inputs.serving, inputs.seed
        )
        models = ServedModels(inputs, cells, transitions.transitions, behavior.head)
        served = models.combined(fit.strengths)
        model = artifact_utils.get_single_instance(output_dict["model"])
        directory = path_utils.serving_model_dir(model.uri)
        description = {
            "kind": "combined",
            "clusters": inputs.geometry.clusters,
            "weights_mean": weights,
            "metrics": _test_metrics(comparison),
        }
        identity = save_recommender(served, directory, description, inputs.titles)
        model.set_string_custom_property("id", identity)
        requests = _some_records(inputs.examples[VALIDATION])
        write_warmup(directory, requests, served.by_columns)

        _write_judged(output_dict["judged"], inputs, scored[TEST], counted)
        milliseconds = {
            name: serving_milliseconds(recommender, requests)
            for name, recommender in models.timed(served, fit).items()
        }
        _write_comparison(
            artifact_utils.get_single_uri(output_dict["comparison"]),
            table=table,
            comparison=comparison,
            fit=fit,
            transitions=transitions,
            weights=weights,
            worth=worth.model_copy(update={"serving_ms": milliseconds}),
        )


def _rank_splits(
    inputs: CombinerInputs,
    scored: dict[str, Scored],
    queries: Queries,
    chosen: Mapping[str, ChosenBaseline | TrainedPeer],
) -> pl.DataFrame:
    """Every model's ranks for the users of both splits, see `rank_table`."""
    counts = training_counts(inputs.training, inputs.graph, inputs.encoder.new_items)
    return pl.concat(
        [
            rank_models(
                split=split,
                histories=scored[split].histories,
                scorer=scored[split].scorer,
                clusters=scored[split].clusters,
                queries=queries[split],
                encoder=inputs.encoder,
                counts=counts,
                without_queries=lambda histories, baskets: chosen_ranks(
                    chosen, histories, baskets, inputs.encoder.exclude_seen
                ),
            )
            for split in JUDGED_SPLITS
        ]
    )


def _write_judged(
    artifacts: list[Any], inputs: CombinerInputs, test: Scored, counted: Selection
) -> None:
    """The test users' examples, with what the best free baseline recommends to them."""
    judged = artifact_utils.get_single_instance(artifacts)
    judged.split_names = artifact_utils.encode_split_names([TEST])
    examples_utils.set_payload_format(judged, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
    write_opponent(
        opponent=counted.best,
        files=inputs.examples[TEST],
        histories=test.histories,
        encoder=inputs.encoder,
        graph=inputs.graph,
        folder=artifact_utils.get_split_uri(artifacts, TEST),
    )


def _tell(fit: Fit, worth: WorthRecord) -> None:
    """Says in the log what was fitted and what it is worth."""
    shown = ", ".join(f"{strength:.2f}" for strength in fit.fitted)
    progress.info("strengths of the specialists: %s; %s", shown, fit.reason)
    for sentence in [*worth.verdict.sentences, f"advice: {worth.why}"]:
        progress.info("%s", sentence)


def _mean_weights(fit: Fit, test: Scored) -> list[float]:
    """Mean weight of each encoder over the test users, the global one's first."""
    strengths = fit.strengths.astype(float)
    parts = test.membership.mean(axis=0) * strengths if len(test.clusters) else strengths * 0
    return [float(1.0 - parts.sum()), *parts.astype(float).tolist()]


def _test_metrics(comparison: ComparisonRecord) -> Metrics:
    """What the served model reached on the test users; empty without any."""
    test = comparison.splits.get(TEST)
    combiner = test.overall[COMBINER] if test else {}
    return {name: combiner[name] for name in _METRICS if name in combiner}


def _write_comparison(
    directory: str,
    table: pl.DataFrame,
    comparison: ComparisonRecord,
    fit: Fit,
    transitions: TransitionsFit,
    weights: list[float],
    worth: WorthRecord,
) -> None:
    """Writes the files of ModelComparison."""
    write_parquet(f"{directory}/ranks.parquet", table)
    comparison.write(directory)
    worth.write(directory)
    CombinationRecord(
        clusters=len(fit.strengths),
        kept=fit.kept,
        reason=fit.reason,
        weights_mean=weights,
        parameters=Strengths(
            strengths=fit.strengths.astype(float).tolist(),
            fitted_strengths=fit.fitted.astype(float).tolist(),
        ),
        transitions=transitions.record,
    ).write(directory)


def _some_records(files: list[str]) -> list[bytes]:
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").take(_WARMUP_HISTORIES)
    return [record.numpy() for record in records]
