"""Runs the pipeline on this machine and finds out what came of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.utils.path_utils import serving_model_dir

from components.gates.config import GatesConfig
from components.gates.verdict import Verdict, read_verdict
from components.infra_validator.model_server import find_model_server
from components.infra_validator.record import InfraRecord
from components.sequence_clusterer.lasting.last_clusters import LastClusters
from tfx_pipeline.dag import fingerprints, nodes
from tfx_pipeline.dag.pipeline import create_pipeline
from tfx_pipeline.local.execution_lookup import look_up_by_newest_context
from tfx_pipeline.local.metadata import NodeExecution, RunMetadata
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.local.start_clusters import find_start, start_files
from tfx_pipeline.paths.inputs import event_files, labels_file, resolve_files
from tfx_pipeline.paths.locations import Locations
from tfx_pipeline.serving.served import served_version
from tfx_pipeline.settings.run_config import RunConfig
from tfx_pipeline.terminal.console import Console
from tfx_pipeline.terminal.failures import ComponentFailure, ModelRefused, one_line, user_message
from tfx_pipeline.terminal.run_progress import RunProgress, duration


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a run whose components all succeeded."""

    verdict: Verdict
    nodes: Mapping[str, NodeExecution]
    candidate: Path
    """The SavedModel that the run made (or found in the cache)."""
    served: Path | None
    """The stable version after the run."""

    def artifact(self, node: str, output: str) -> Path:
        """Folder of a node's only artifact under an output key."""
        return Path(_only(self.nodes, node, output))

    @property
    def trained(self) -> list[str]:
        """Trainers that did not come from the cache."""
        return [
            node
            for node, execution in self.nodes.items()
            if node.startswith(nodes.TRAINERS) and execution.state == "ran"
        ]


def run(config: RunConfig, directory: RunDirectory, console: Console) -> Outcome:
    """Runs the pipeline in a run directory; what did not change comes from its cache.

    Args:
        config: all settings.
        directory: made when missing; used again when it is from an earlier run.
        console: gets the progress.

    Raises:
        InputError: if an input file is missing or another run uses the directory.
        ComponentFailure: if a component fails for a reason that is not the user's.
        Exception: whatever a component raised, when `errors.user_message` has a message for it.
    """
    events = event_files(config.run.events)
    items = resolve_files(config.run.items, "items")
    labels = labels_file(config.clustering.labels)
    started = dt.datetime.now(dt.timezone.utc)
    data = fingerprints.file_fingerprints([*events, *items])
    labels_data = fingerprints.file_fingerprints([labels] if labels else [])
    directory.root.mkdir(parents=True, exist_ok=True)
    with directory.locked():
        metadata = RunMetadata(directory.database)
        interrupted = metadata.close_interrupted()
        if interrupted:
            console.line("The last run here was interrupted; going on with what it finished.")
        locations = Locations.below(str(directory.root.resolve()))
        data_fingerprint = fingerprints.input_fingerprint(data)
        start = find_start(
            config.clustering.start_from, metadata, config.run.name, data_fingerprint
        )
        if start is not None:
            # The clusterer reads them after the encoder's training: too late to hear of a fault.
            LastClusters.load(str(start))
        start_data = fingerprints.file_fingerprints(start_files(start))
        pipeline = create_pipeline(
            config,
            locations,
            events=events,
            items=items,
            input_fingerprint=data_fingerprint,
            nonce=started.isoformat(),
            labels=labels,
            labels_fingerprint=fingerprints.input_fingerprint(labels_data),
            start_from=str(start or ""),
            start_from_fingerprint=fingerprints.input_fingerprint(start_data),
            metadata_path=str(directory.database.resolve()),
            model_server=find_model_server(),
            # What failed once may have failed by accident: a refusal is never taken from the cache.
            infra_nonce=started.isoformat() if _was_refused(metadata) else "",
        )
        names = [component.id for component in pipeline.components]
        earlier_runs = set(metadata.run_names())
        failure: BaseException | None = None
        with RunProgress(
            console, names, metadata.last_seconds(), always_run=[nodes.BASELINE]
        ).shown() as progress:
            try:
                look_up_by_newest_context()
                LocalDagRunner().run(pipeline)
            except Exception as error:
                logging.getLogger(__name__).exception("the pipeline stopped")
                failure = error
        executions = _executions_of_new_run(metadata, earlier_runs)
        executions = {node: executions[node] for node in names if node in executions}
        read = [*data, *labels_data, *start_data]
        _write_record(directory, config, read, started, executions)
        _raise_failure(failure, progress.current, names, executions)
        outcome = _outcome(directory, executions, config.gates)
        _copy_report(directory, outcome)
    seconds = (dt.datetime.now(dt.timezone.utc) - started).total_seconds()
    console.line(f"Finished in {duration(seconds)}.")
    return outcome


def _executions_of_new_run(metadata: RunMetadata, earlier: set[str]) -> dict[str, NodeExecution]:
    new = [name for name in metadata.run_names() if name not in earlier]
    return metadata.executions(new[-1]) if new else {}


def _infra_record(executions: Mapping[str, NodeExecution]) -> InfraRecord | None:
    """What the InfraValidator found; None if it did not get so far."""
    execution = executions.get(nodes.INFRA_VALIDATOR)
    if execution is None or execution.state not in ("ran", "cached"):
        return None
    return InfraRecord.find(_only(executions, nodes.INFRA_VALIDATOR, "blessing"))


def _was_refused(metadata: RunMetadata) -> bool:
    """Whether the latest model that was validated cannot be served."""
    latest = metadata.latest(nodes.INFRA_VALIDATOR)
    record = _infra_record({nodes.INFRA_VALIDATOR: latest} if latest else {})
    return record is not None and not record.passed


def _raise_failure(
    failure: BaseException | None,
    current: str | None,
    names: list[str],
    executions: Mapping[str, NodeExecution],
) -> None:
    """Raises if anything went wrong; ML Metadata has the last word, not the runner's return."""
    served = _infra_record(executions)
    if failure is not None and served is not None and not served.passed:
        raise ModelRefused(f"nothing was pushed: {served.sentence}") from failure
    if failure is not None:
        if user_message(failure) is not None:
            raise failure
        raise ComponentFailure(current or "the pipeline", one_line(failure)) from failure
    for node in names:
        execution = executions.get(node)
        if execution is None:
            raise ComponentFailure(node, "it was never started")
        if execution.state not in ("ran", "cached"):
            raise ComponentFailure(node, f"its execution is recorded as {execution.state}")


def _outcome(
    directory: RunDirectory, executions: Mapping[str, NodeExecution], gates: GatesConfig
) -> Outcome:
    validated = nodes.INFRA_VALIDATOR in executions
    verdict = read_verdict(
        gates,
        evaluation=_only(executions, nodes.EVALUATOR, "evaluation"),
        blessing=_only(executions, nodes.EVALUATOR, "blessing"),
        infra_blessing=_only(executions, nodes.INFRA_VALIDATOR, "blessing") if validated else None,
        pushed_model=_only(executions, nodes.PUSHER, "pushed_model"),
        baseline=_only(executions, nodes.BASELINE, "model"),
    )
    if verdict.status == "pushed" and not (directory.serving / verdict.version).is_dir():
        raise ComponentFailure(nodes.PUSHER, f"nothing arrived in {directory.serving}")
    return Outcome(
        verdict=verdict,
        nodes=executions,
        candidate=Path(serving_model_dir(_only(executions, nodes.COMBINER, "model"))),
        served=served_version(directory.serving),
    )


def _only(executions: Mapping[str, NodeExecution], node: str, output: str) -> str:
    """URI of a node's only artifact under an output key."""
    (uri,) = executions[node].artifacts[output]
    return uri


def _copy_report(directory: RunDirectory, outcome: Outcome) -> None:
    directory.report.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(outcome.artifact(nodes.REPORT, "report") / "index.html", directory.report)


def _write_record(
    directory: RunDirectory,
    config: RunConfig,
    data: list[dict[str, str | int]],
    started: dt.datetime,
    executions: Mapping[str, NodeExecution],
) -> None:
    record: dict[str, Any] = {
        "started": started.isoformat(timespec="seconds"),
        "finished": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "seed": config.run.seed,
        "versions": fingerprints.versions(),
        "data": data,
        "nodes": {
            node: {"state": execution.state, "seconds": round(execution.seconds, 3)}
            for node, execution in executions.items()
        },
        "config": config.model_dump(mode="json"),
    }
    directory.record.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
