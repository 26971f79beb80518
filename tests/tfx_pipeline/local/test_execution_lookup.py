"""Executions in several contexts: the same as TFX finds, from the newest context only."""

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration import metadata
from tfx.orchestration.portable import launcher
from tfx.orchestration.portable.mlmd import execution_lib

from tfx_pipeline.local.execution_lookup import executions_in_all, look_up_by_newest_context

THEIRS = execution_lib.get_executions_associated_with_all_contexts


@pytest.fixture
def handle(tmp_path):
    config = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.db"))
    with metadata.Metadata(config) as handle:
        yield handle


def test_the_same_executions_as_tfx_finds(handle):
    store = handle.store
    kind = store.put_execution_type(mlmd.ExecutionType(name="Node"))
    types = {
        name: store.put_context_type(mlmd.ContextType(name=name))
        for name in ("pipeline", "pipeline_run", "node")
    }

    def context(kind, name):
        found = store.get_context_by_type_and_name(kind, name)
        if found is None:
            store.put_contexts([mlmd.Context(type_id=types[kind], name=name)])
            found = store.get_context_by_type_and_name(kind, name)
        return found

    asked = {}
    for run in range(3):
        for node in ("a", "b"):
            contexts = [
                context("pipeline", "shop"),
                context("pipeline_run", f"run {run}"),
                context("node", node),
            ]
            for _ in range(2 if (run, node) == (1, "a") else 1):
                store.put_execution(mlmd.Execution(type_id=kind), [], contexts)
            asked[run, node] = contexts
    for contexts in (*asked.values(), asked[0, "a"][:1], asked[2, "b"][1:], asked[0, "b"][::2]):
        ours = [execution.id for execution in executions_in_all(handle, contexts)]
        assert ours == [execution.id for execution in THEIRS(handle, contexts)]
        assert ours
    assert len(executions_in_all(handle, asked[1, "a"])) == 2
    assert executions_in_all(handle, []) == []


def test_the_launcher_asks_it(monkeypatch):
    monkeypatch.setattr(execution_lib, THEIRS.__name__, THEIRS)
    look_up_by_newest_context()
    name = "get_executions_associated_with_all_contexts"
    assert getattr(launcher.execution_lib, name) is executions_in_all
