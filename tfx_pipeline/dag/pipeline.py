"""The DAG: one pure function from settings to a TFX pipeline, for every orchestrator."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.components import Evaluator, StatisticsGen, Trainer, Transform
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, transform_pb2

from components.baseline_model.component import BaselineModel
from components.behavior_example_gen.component import BehaviorExampleGen
from components.cluster_combiner.component import ClusterCombiner
from components.curated_schema.component import CuratedSchema
from components.gates.eval_config import build_eval_config
from components.history_validator.component import HistoryValidator
from components.infra_validator.component import InfraValidator
from components.infra_validator.model_server import ModelServer
from components.item_content_encoder.component import ItemContentEncoder
from components.run_report.component import RunReport
from components.sequence_clusterer.component import SequenceClusterer
from tfx_pipeline.dag import nodes
from tfx_pipeline.dag.fingerprints import code_fingerprint, versions
from tfx_pipeline.dag.pushing import DEPLOYMENT, Pusher
from tfx_pipeline.dag.trainers import encoder_trainer, encoder_tuner, fine_tuning_trainer
from tfx_pipeline.paths.locations import Locations
from tfx_pipeline.settings.run_config import RunConfig
from trainer.evaluation.compared_models import CONTINUED

TEXT_ENCODER = "components.item_content_encoder.text_encoder"


def create_pipeline(
    config: RunConfig,
    locations: Locations,
    *,
    events: Sequence[str],
    items: Sequence[str],
    input_fingerprint: str,
    nonce: str,
    labels: str = "",
    labels_fingerprint: str = "",
    start_from: str = "",
    start_from_fingerprint: str = "",
    metadata_path: str | None = None,
    model_server: ModelServer | None = None,
    infra_nonce: str = "",
) -> Pipeline:
    """Builds the pipeline; nothing is read or run.

    Args:
        config: all settings.
        locations: where artifacts, checkpoints and served models go.
        events: event files.
        items: item files, possibly none.
        input_fingerprint: hash of the files' content; new content reruns the ingestion.
        nonce: differs from run to run, so that BaselineModel never comes from the cache.
        labels: the file of `clustering.labels`, if any.
        labels_fingerprint: hash of its content; new content compares the clusters again.
        start_from: folder of the clusters that the clusterer goes on from, "" for none.
        start_from_fingerprint: hash of its content; other content clusters again.
        metadata_path: sqlite file of ML Metadata; None where the orchestrator has its own.
        model_server: what the InfraValidator serves the model with; without one there is no
            InfraValidator (Kubeflow Pipelines cannot run it).
        infra_nonce: a new one validates again although nothing changed.
    """
    ingestion = BehaviorExampleGen(
        input_files=list(events),
        items_files=list(items),
        config=config.data,
        evaluation=config.evaluation,
        behavior_actions=config.behavior_head.actions,
        input_fingerprint=input_fingerprint,
        code_version=code_fingerprint("components.behavior_example_gen"),
    ).with_id(nodes.INGESTION)
    histories = ingestion.outputs["examples"]
    catalogue = ingestion.outputs["items"]
    content = ItemContentEncoder(
        items=catalogue,
        config=config.content,
        # Vectors of other encoding code are not taken over.
        cache=f"{locations.content}/{code_fingerprint(TEXT_ENCODER)}",
        code_version=code_fingerprint("components.item_content_encoder"),
    ).with_id(nodes.CONTENT_ENCODER)
    statistics = StatisticsGen(examples=histories).with_id(nodes.STATISTICS)
    curated = CuratedSchema().with_id(nodes.SCHEMA)
    validator = HistoryValidator(
        statistics=statistics.outputs["statistics"], schema=curated.outputs["schema"]
    ).with_id(nodes.VALIDATOR)
    transform = Transform(
        examples=histories,
        schema=curated.outputs["schema"],
        preprocessing_fn="trainer.preprocessing.preprocessing_fn",
        custom_config={
            "config": config.features.to_json(),
            "code_version": code_fingerprint("trainer.preprocessing"),
        },
        splits_config=transform_pb2.SplitsConfig(analyze=["train"]),
        materialize=False,
        # Nothing reads them: StatisticsGen has looked at the data already, and no run hands its
        # analyses to the next.
        disable_statistics=True,
        disable_analyzer_cache=True,
    ).with_id(nodes.TRANSFORM)
    transform.add_upstream_node(validator)
    tuners = []
    hyperparameters = None
    if config.tuning.enabled:
        tuner = encoder_tuner(
            config,
            locations,
            histories,
            transform.outputs["transform_graph"],
            content.outputs["content"],
        )
        tuners = [tuner]
        hyperparameters = tuner.outputs["best_hyperparameters"]
    encoder = encoder_trainer(
        config,
        locations,
        histories,
        transform.outputs["transform_graph"],
        content.outputs["content"],
        hyperparameters,
    )
    # One cluster is everyone: its specialist is the encoder trained on.
    controlled = config.combiner.controls and config.run.max_clusters > 1
    clusterer = SequenceClusterer(
        examples=histories,
        encoder_model=encoder.outputs["model"],
        config=config.clustering,
        max_clusters=config.run.max_clusters,
        random_partition=controlled,
        items=catalogue,
        code_version=code_fingerprint("components.sequence_clusterer"),
        labels_file=labels,
        labels_fingerprint=labels_fingerprint,
        start_from=start_from,
        start_from_fingerprint=start_from_fingerprint,
    ).with_id(nodes.CLUSTERER)

    def fine_tuned(name: str, parts: Sequence[str]) -> Trainer:
        return fine_tuning_trainer(
            config,
            locations,
            name,
            parts,
            clusterer.outputs["examples"],
            transform.outputs["transform_graph"],
            encoder.outputs["model"],
            hyperparameters,
        )

    clusters = [f"cluster_{k}" for k in range(config.run.max_clusters)]
    specialists = [fine_tuned(cluster, [cluster]) for cluster in clusters]
    controls = []
    if controlled:
        parts = [f"random_{k}" for k in range(config.run.max_clusters)]
        controls = [fine_tuned(part, [part]) for part in parts]
        controls.append(fine_tuned(CONTINUED, clusters))
    combiner = ClusterCombiner(
        examples=clusterer.outputs["examples"],
        histories=histories,
        encoder_model=encoder.outputs["model"],
        clusters=clusterer.outputs["clusters"],
        transform_graph=transform.outputs["transform_graph"],
        items=catalogue,
        config=config.combiner,
        serving=config.serving,
        evaluation=config.evaluation,
        behavior_head=config.behavior_head,
        later_events=ingestion.outputs["later_events"] if config.behavior_head.actions else None,
        seed=config.run.seed,
        code_version=code_fingerprint("components.cluster_combiner"),
        **{
            f"specialist_{cluster}": specialist.outputs["model"]
            for cluster, specialist in enumerate(specialists)
        },
        **{node.id.removeprefix(nodes.TRAINERS): node.outputs["model"] for node in controls},
    ).with_id(nodes.COMBINER)
    baseline = BaselineModel(
        examples=histories,
        push_destination=locations.serving,
        nonce=nonce,
        against=config.gates.against,
        top_k=config.serving.top_k,
        exclude_seen=config.serving.exclude_seen,
        code_version=code_fingerprint("components.baseline_model"),
    ).with_id(nodes.BASELINE)
    evaluator = Evaluator(
        examples=combiner.outputs["judged"],
        example_splits=["test"],
        model=combiner.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=build_eval_config(config.gates),
    ).with_id(nodes.EVALUATOR)
    infra_validators = []
    infra_blessing = None
    if model_server is not None:
        infra_validator = InfraValidator(
            model=combiner.outputs["model"],
            examples=histories,
            config=config.infra,
            server=model_server,
            code_version=code_fingerprint("components.infra_validator"),
            nonce=infra_nonce,
        ).with_id(nodes.INFRA_VALIDATOR)
        # First, because the Evaluator fails on a model that cannot be loaded: as a component, and
        # not as a gate.
        evaluator.add_upstream_node(infra_validator)
        infra_validators = [infra_validator]
        infra_blessing = infra_validator.outputs["blessing"]
    pusher = Pusher(
        model=combiner.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=infra_blessing,
        baseline_model=baseline.outputs["model"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=locations.serving)
        ),
        custom_config={DEPLOYMENT: config.deployment.model_dump(mode="json")},
    ).with_id(nodes.PUSHER)
    report = RunReport(
        data_quality=ingestion.outputs["data_quality"],
        encoder_run=encoder.outputs["model_run"],
        cluster_evaluation=clusterer.outputs["evaluation"],
        comparison=combiner.outputs["comparison"],
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        infra_blessing=infra_blessing,
        baseline=baseline.outputs["model"],
        gates=config.gates,
        run_name=config.run.name,
        specialist_runs=[specialist.outputs["model_run"] for specialist in specialists],
        pushed_model=pusher.outputs["pushed_model"],
        items=catalogue,
        provenance={
            "seed": config.run.seed,
            "data": input_fingerprint,
            "versions": versions(),
            "settings": config.model_dump(mode="json"),
        },
        code_version=code_fingerprint("components.run_report"),
    ).with_id(nodes.REPORT)
    return Pipeline(
        pipeline_name=config.run.name,
        pipeline_root=locations.artifacts,
        components=[
            ingestion,
            content,
            statistics,
            curated,
            validator,
            transform,
            *tuners,
            encoder,
            clusterer,
            *specialists,
            *controls,
            combiner,
            baseline,
            *infra_validators,
            evaluator,
            pusher,
            report,
        ],
        enable_cache=True,
        metadata_connection_config=(
            metadata.sqlite_metadata_connection_config(metadata_path) if metadata_path else None
        ),
        beam_pipeline_args=config.beam.pipeline_args(),
    )
