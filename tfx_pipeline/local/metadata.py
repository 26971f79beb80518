"""Reads ML Metadata: what a run's nodes really did, and where their artifacts lie."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration import metadata
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from tfx_pipeline.dag import nodes

State = Literal["ran", "cached", "failed", "running"]

_STATES: dict[int, State] = {
    mlmd.Execution.COMPLETE: "ran",
    mlmd.Execution.CACHED: "cached",
    mlmd.Execution.FAILED: "failed",
    mlmd.Execution.CANCELED: "failed",
    mlmd.Execution.RUNNING: "running",
    mlmd.Execution.NEW: "running",
}


@dataclasses.dataclass(frozen=True)
class NodeExecution:
    """One execution of one node, as ML Metadata has it."""

    id: int
    node: str
    state: State
    started: float
    """Seconds since the epoch."""
    seconds: float
    artifacts: dict[str, list[str]]
    """Output key to the URIs of its artifacts."""


class RunMetadata:
    """The ML Metadata database of one run directory."""

    def __init__(self, database: Path) -> None:
        """Opens the database; it is made when it does not exist.

        Args:
            database: the sqlite file.
        """
        self._store = MetadataStore(metadata.sqlite_metadata_connection_config(str(database)))

    def close_interrupted(self) -> int:
        """Marks executions that an interrupted run left behind as failed; returns how many."""
        stale = [
            execution
            for execution in self._store.get_executions()
            if _STATES.get(execution.last_known_state) == "running"
        ]
        for execution in stale:
            execution.last_known_state = mlmd.Execution.FAILED
        if stale:
            self._store.put_executions(stale)
        return len(stale)

    def run_names(self) -> list[str]:
        """Names of all pipeline runs, oldest first."""
        contexts = self._store.get_contexts_by_type("pipeline_run")
        return [context.name for context in sorted(contexts, key=lambda context: context.id)]

    def executions(self, run: str) -> dict[str, NodeExecution]:
        """Node id to its execution in the pipeline run of that name."""
        context = self._store.get_context_by_type_and_name("pipeline_run", run)
        if context is None:
            return {}
        found: dict[str, NodeExecution] = {}
        for execution in self._store.get_executions_by_context(context.id):
            node = self._node_of(execution.id)
            found[node] = NodeExecution(
                id=execution.id,
                node=node,
                state=_STATES.get(execution.last_known_state, "failed"),
                started=execution.create_time_since_epoch / 1000,
                seconds=_seconds(execution),
                artifacts=self._outputs(execution.id),
            )
        return found

    def latest(self, node: str) -> NodeExecution | None:
        """The node's execution in the newest run in which it succeeded."""
        for run in reversed(self.run_names()):
            execution = self.executions(run).get(node)
            if execution is not None and execution.state in ("ran", "cached"):
                return execution
        return None

    def clusters_before(self, pipeline: str | None = None, data: str | None = None) -> list[str]:
        """Folders of the ClusterModels that runs made, newest first.

        Args:
            pipeline: only runs of the pipeline of this name; None takes all.
            data: only runs on other input files than those with this fingerprint; None takes all.
        """
        found: list[str] = []
        for run in reversed(self.run_names()):
            executions = self.executions(run)
            ingestion, clusterer = executions.get(nodes.INGESTION), executions.get(nodes.CLUSTERER)
            if ingestion is None or clusterer is None or clusterer.state not in ("ran", "cached"):
                continue
            read = self.parameters(ingestion).get("input_fingerprint")
            same_data = data is not None and read == data
            if not same_data and pipeline in (None, self._contexts_of(clusterer.id)["pipeline"]):
                found += [uri for uri in clusterer.artifacts["clusters"] if uri not in found]
        return found

    def inputs(self, execution: NodeExecution) -> dict[str, list[Artifact]]:
        """Input key to the artifacts that an execution read, as TFX hands them to an executor."""
        events = self._store.get_events_by_execution_ids([execution.id])
        keys = {
            event.artifact_id: event.path.steps[0].key
            for event in events
            if event.type == mlmd.Event.INPUT
        }
        artifacts = self._store.get_artifacts_by_id(sorted(keys))
        types = self._store.get_artifact_types_by_id([artifact.type_id for artifact in artifacts])
        found: dict[str, list[Artifact]] = {}
        for artifact, kind in zip(artifacts, types, strict=True):
            found.setdefault(keys[artifact.id], []).append(
                artifact_utils.deserialize_artifact(kind, artifact)
            )
        return found

    def parameters(self, execution: NodeExecution) -> dict[str, str]:
        """Execution properties that are text."""
        (found,) = self._store.get_executions_by_id([execution.id])
        return {name: value.string_value for name, value in found.custom_properties.items()}

    def last_seconds(self) -> dict[str, float]:
        """Node id to the seconds that it took when it last ran for real."""
        found: dict[str, float] = {}
        for run in self.run_names():
            for node, execution in self.executions(run).items():
                if execution.state == "ran":
                    found[node] = execution.seconds
        return found

    def _node_of(self, execution_id: int) -> str:
        types = self._contexts_of(execution_id)
        return types["node"].removeprefix(f"{types['pipeline']}.")

    def _contexts_of(self, execution_id: int) -> dict[str, str]:
        """Type of a context to its name."""
        contexts = self._store.get_contexts_by_execution(execution_id)
        return {context.type: context.name for context in contexts}

    def _outputs(self, execution_id: int) -> dict[str, list[str]]:
        events = [
            event
            for event in self._store.get_events_by_execution_ids([execution_id])
            if event.type == mlmd.Event.OUTPUT
        ]
        artifacts: dict[int, Any] = {
            artifact.id: artifact
            for artifact in self._store.get_artifacts_by_id([event.artifact_id for event in events])
        }
        outputs: dict[str, list[str]] = {}
        for event in events:
            key = event.path.steps[0].key
            outputs.setdefault(key, []).append(artifacts[event.artifact_id].uri)
        return outputs


def _seconds(execution: Any) -> float:
    milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return milliseconds / 1000
