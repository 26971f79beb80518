"""Which run's clusters a local run goes on from, by runs of a pipeline with stand-in components."""

import pathlib
import shutil

import pytest
from tfx import v1 as tfx
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata as tfx_metadata

from components.artifacts import ClusterModel
from tfx_pipeline.local.metadata import RunMetadata
from tfx_pipeline.local.start_clusters import find_start, start_files
from tfx_pipeline.paths.inputs import InputError

pytestmark = pytest.mark.slow

Parameter = tfx.dsl.components.Parameter
Output = tfx.dsl.components.OutputArtifact
Examples = tfx.types.standard_artifacts.Examples


@component
def Ingest(examples: Output[Examples], input_fingerprint: Parameter[str]):  # noqa: N802
    """Has the parameter of BehaviorExampleGen."""


@component
def Cluster(  # noqa: N802
    histories: tfx.dsl.components.InputArtifact[Examples],
    clusters: Output[ClusterModel],
    start_from: Parameter[str],
    broken: Parameter[str],
):
    """Leaves the files that the next run goes on from."""
    for name in ("clusters.json", "users.parquet"):
        pathlib.Path(clusters.uri, name).write_text(start_from)
    if broken:
        raise RuntimeError(broken)


class Shop:
    """A run directory."""

    def __init__(self, root):
        self.root = root
        self.database = root / "metadata.db"
        root.mkdir(exist_ok=True)

    def start(self, data, setting="last", name="shop"):
        return find_start(setting, RunMetadata(self.database), name, data)

    def run(self, data, broken="", name="shop"):
        """Runs as the local runner does; gives the state of the clusterer and its folder."""
        start = str(self.start(data, name=name) or "")
        ingest = Ingest(input_fingerprint=data).with_id("BehaviorExampleGen")
        cluster = Cluster(
            histories=ingest.outputs["examples"], start_from=start, broken=broken
        ).with_id("SequenceClusterer")
        pipeline = tfx.dsl.Pipeline(
            pipeline_name=name,
            pipeline_root=str(self.root / name),
            components=[ingest, cluster],
            enable_cache=True,
            metadata_connection_config=tfx_metadata.sqlite_metadata_connection_config(
                str(self.database)
            ),
        )
        try:
            tfx.orchestration.LocalDagRunner().run(pipeline)
        except RuntimeError:
            return "failed", None
        metadata = RunMetadata(self.database)
        done = metadata.executions(metadata.run_names()[-1])["SequenceClusterer"]
        return done.state, pathlib.Path(done.artifacts["clusters"][0])


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def test_newer_data_goes_on_from_the_last_run_and_a_repetition_from_what_it_went_on_from(shop):
    assert shop.start("january") is None
    state, january = shop.run("january")
    assert state == "ran"
    assert shop.start("january") is None
    assert shop.run("january") == ("cached", january)
    assert shop.start("february") == january
    state, february = shop.run("february")
    assert state == "ran"
    assert (february / "users.parquet").read_text() == str(january)
    # Not from itself: the second time everything is as it was.
    assert shop.start("february") == january
    assert shop.run("february") == ("cached", february)
    assert shop.start("march") == february


def test_failed_runs_other_pipelines_and_folders_that_are_gone_are_passed_over(shop):
    _, january = shop.run("january")
    _, february = shop.run("february")
    assert shop.run("march", broken="out of memory")[0] == "failed"
    assert shop.start("april") == february
    assert shop.start("april", name="another-shop") is None
    (february / "users.parquet").unlink()
    assert shop.start("april") == january
    shutil.rmtree(january)
    assert shop.start("april") is None


def test_a_run_or_a_cluster_model_can_be_named(shop, tmp_path):
    _, january = shop.run("january")
    _, february = shop.run("february")
    other = Shop(tmp_path / "other")
    assert other.start("january") is None
    assert other.start("january", str(shop.root)) == february
    assert other.start("january", str(january)) == january
    assert shop.start("march", "none") is None
    assert start_files(january) == [f"{january}/clusters.json", f"{january}/users.parquet"]
    assert start_files(None) == []
    (january / "users.parquet").unlink()
    with pytest.raises(InputError, match=r"clustering\.start_from: .* has no clusters that say"):
        other.start("january", str(january))
