"""Whole runs on a tiny shop: pushed, from the cache, refused, and what reads a run afterwards.

The tests of `TestOneDirectory` build on each other, in the order of the file: what the cache does
can only be seen in a directory that has been run in before.
"""

import html
import json
import shutil
from pathlib import Path

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration import metadata

from components.baseline_model.executor import Executor as BaselineExecutor
from tests.helpers.planted_shop import write_events, write_items, write_labels
from tests.helpers.pushed_versions import visible, write_model_id
from tests.helpers.rest_servers import serving
from tests.helpers.terminal import cohortrec
from tfx_pipeline.deployment.rollout import admit
from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.local.metadata import RunMetadata
from tfx_pipeline.settings.deployment_config import DeploymentConfig

pytestmark = pytest.mark.e2e

TINY = """
run: {max_clusters: 2, shown_customers: 0}
data: {min_item_events: 1}
encoder: {width: 16, members: 2, layers: 1, feedforward: 32}
training: {epochs: 15, batch_size: 32, learning_rate: 0.01, validation_users: 100}
specialists: {epochs: 1, batch_size: 32}
clustering: {k: 2}
combiner: {steps: 50}
"""
CONTROLS = ["Trainer.random_0", "Trainer.random_1", "Trainer.continued"]
TRAINERS = ["Trainer.encoder", "Trainer.cluster_0", "Trainer.cluster_1", *CONTROLS]
REDONE_EVERY_TIME = {"BaselineModel", "Evaluator", "Pusher", "RunReport"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    write_events(folder / "events.csv", users=300, favourites=0.5)
    write_items(folder / "items.csv")
    write_labels(folder / "labels.csv")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def first(shop):
    """What the first run said. It alone shows customers: that loads the model once more."""
    answer = _run(shop, "--set", "run.shown_customers=2")
    assert answer.code == 0, answer
    return answer


@pytest.fixture
def nothing_served(shop):
    """What was pushed is put aside for one test, and then served again."""
    serving, aside = shop / "out" / "serving", shop / "out" / "aside"
    serving.rename(aside)
    yield
    shutil.rmtree(serving, ignore_errors=True)
    aside.rename(serving)


def _run(shop, *arguments):
    return cohortrec(
        *("run", "--events", shop / "events.csv", "--items", shop / "items.csv"),
        *("--config", shop / "tiny.yaml", "--output", shop / "out"),
        *("--set", f"clustering.labels={shop / 'labels.csv'}"),
        *arguments,
    )


def _states(shop):
    """Node id to its state in the newest run, from ML Metadata itself."""
    metadata = RunMetadata(shop / "out" / "metadata.db")
    return metadata.executions(metadata.run_names()[-1])


def _versions(shop):
    serving = shop / "out" / "serving"
    return visible(serving) if serving.exists() else []


class TestOneDirectory:
    @pytest.mark.usefixtures("first")
    def test_the_first_run_pushes(self, shop):
        assert len(_versions(shop)) == 1
        nodes = _states(shop)
        assert {node.state for node in nodes.values()} == {"ran"}
        assert set(TRAINERS) < set(nodes)
        for node in nodes.values():
            for uris in node.artifacts.values():
                assert all(uri.startswith(str(shop / "out" / "artifacts")) for uri in uris)
        for name in ("report/index.html", "metrics.json", "run.json", "logs/run.log"):
            assert (shop / "out" / name).stat().st_size > 0

    def test_the_terminal_shows_results_and_customers(self, first):
        for text in (
            "own items, then popularity",
            "specialists routed by cluster",
            "Test users by cluster",
            "Test users by how often what they took next is in training",
            "passed  the stand-in model server loads the model and answers 13",
            "pushed as version",
            "recommended",
        ):
            assert text in first.out
        assert first.out.count("\nCustomer ") == 2
        assert "number" in first.out.split("Customer")[1]
        assert "whole next basket" not in first.out  # nobody takes two items at once here

    def test_the_clusters_are_compared_with_their_controls(self, shop):
        (folder,) = _states(shop)["ClusterCombiner"].artifacts["comparison"]
        worth = json.loads((Path(folder) / "worth.json").read_text())
        for split in ("validation", "test"):
            pairs = {(lift["model"], lift["against"]) for lift in worth["splits"][split]}
            assert {("combiner", "continued"), ("routed", "random_routed")} <= pairs
            clusters = {lift["cluster"] for lift in worth["splits"][split]}
            assert {None, 0, 1} <= clusters
        served = json.loads((Path(folder) / "combination.json").read_text())["kept"]
        assert served == (worth["recommendation"] == "combination")
        assert worth["serving_ms"]["global encoder"] > 0
        assert "What the clusters are worth" in (shop / "out/report/index.html").read_text()

    def test_the_clusters_are_named_and_compared_with_the_labels(self, shop):
        (folder,) = _states(shop)["SequenceClusterer"].artifacts["evaluation"]
        evaluation = json.loads(Path(folder, "evaluation.json").read_text())
        assert evaluation["lasting"] == {"ids": [0, 1], "how": "first", "reason": ""}
        labels = evaluation["labels"]
        (column,) = labels["columns"]
        assert (labels["file"], column["column"], column["values"]) == (
            *("labels.csv", "shelf"),
            ["tea", "tool"],
        )
        assert column["users"] == labels["matched"] > 100
        profiles = json.loads(Path(folder, "profiles.json").read_text())["clusters"]
        page = (shop / "out" / "report" / "index.html").read_text()
        for profile in profiles:
            assert html.escape(profile["name"]) in page
        assert "Agreement with outside labels" in page
        record = json.loads((shop / "out" / "run.json").read_text())
        read = [file["file"] for file in record["data"]]
        assert read == ["events.csv", "items.csv", "labels.csv"]

    def test_the_next_run_trains_nothing_and_finds_its_own_model_served(self, shop):
        before = _versions(shop)
        _leave_an_interrupted_execution(shop)
        answer = _run(shop)
        assert answer.code == 0, answer
        states = {name: node.state for name, node in _states(shop).items()}
        ran = {name for name, state in states.items() if state == "ran"}
        assert ran == REDONE_EVERY_TIME
        assert all(state == "cached" for name, state in states.items() if name not in ran)
        assert "interrupted" in answer.out
        assert "Trainer.encoder      from cache" in answer.out
        assert "INFO" not in answer.out
        assert answer.err == ""
        assert "already served, nothing to push" in answer.out
        assert "nothing was trained (all from cache)" in answer.out
        assert _versions(shop) == before
        assert json.loads((shop / "out" / "metrics.json").read_text())["trained"] == []

    def test_the_report_is_rendered_again(self, shop):
        page = shop / "out" / "report" / "index.html"
        page.unlink()
        answer = cohortrec("report", shop / "out")
        assert answer.code == 0, answer
        assert answer.out.strip() == str(page)
        assert "<html" in page.read_text()

    def test_recommendations_follow_the_shelf(self, shop):
        answer = cohortrec(
            *("recommend", "--model", shop / "out", "--k", "3"),
            *("--history", "tea-03,tea-04,tea-05,tea-06"),
        )
        assert answer.code == 0, answer
        lines = answer.out.splitlines()
        assert len(lines) == 4
        assert "Tea number 7" in answer.out

    def test_servers_give_the_same_recommendations_as_the_folder(self, shop):
        """Over REST, over gRPC and in this process: the same lines."""
        newest = shop / "out" / "serving" / str(_versions(shop)[-1])
        (shop / "models").mkdir()
        (shop / "models" / "shop").symlink_to(shop / "out" / "serving")
        with serving(shop / "models" / "shop" / newest.name) as runner:
            urls = (f"http://127.0.0.1:{runner.rest_port}", f"grpc://{runner.GetEndpoint()}")
            for history in ("tea-03,tea-04,tea-05", "", "no-such-item,té,tool-01"):
                ask = ("recommend", "--history", history, "--k", "5")
                local = cohortrec(*ask, "--model", shop / "out")
                assert local.code == 0, local
                assert len(local.out.splitlines()) >= 6, local
                for url in urls:
                    server = ("--server", url, "--name", "shop")
                    assert cohortrec(*ask, *server, "--titles", shop / "out") == local
            answer = cohortrec(*ask, "--server", urls[0], "--name", "nope")
            assert (answer.code, answer.out) == (2, "")
            assert "model 'nope'" in answer.err
            assert "Servable not found" in answer.err
        answer = cohortrec(*ask, *server)
        assert answer.code == 2
        assert "no server answers" in answer.err

    def test_empty_and_unknown_histories_are_answered(self, shop):
        assert len(cohortrec(*self._ask(shop, "")).out.splitlines()) == 11
        answer = cohortrec(*self._ask(shop, "no-such-item"))
        assert answer.code == 0
        assert "Unknown to the model: no-such-item" in answer.out

    def test_the_pushed_folder_is_what_servers_expect(self, shop):
        (version,) = _versions(shop)
        serving = shop / "out" / "serving"
        assert (serving / str(version) / "assets.extra/tf_serving_warmup_requests").is_file()
        for name in ("models.config", "batching.config", "monitoring.config"):
            assert (serving / name).stat().st_size > 0
        line = cohortrec("serving", "list", shop / "out").out.splitlines()[1]
        assert line.startswith(f"{version}  stable, canary")
        metrics = json.loads((shop / "out" / "metrics.json").read_text())
        figure = metrics["comparison"]["splits"]["test"]["overall"]["combiner"]["ndcg@10"]
        assert line.endswith(f"{figure:.4f}")

    @pytest.mark.usefixtures("nothing_served")
    def test_a_refused_model_is_not_pushed(self, shop):
        answer = _run(shop, "--set", "gates.min_ndcg_at_10=0.999")
        assert answer.code == 1, answer
        assert _versions(shop) == []
        (line,) = [line for line in answer.out.splitlines() if "FAILED" in line]
        assert "overall" in line
        assert "below the floor of 0.9990 (gates.min_ndcg_at_10)" in line
        figures = json.loads((shop / "out" / "metrics.json").read_text())
        assert figures["status"] == "refused"
        states = {name: node.state for name, node in _states(shop).items()}
        assert all(states[trainer] == "cached" for trainer in TRAINERS)

    @pytest.mark.usefixtures("nothing_served")
    def test_a_model_that_no_server_can_load_is_not_pushed(self, shop):
        """The Evaluator could not load it either; it must be a refusal all the same."""
        (model,) = _states(shop)["ClusterCombiner"].artifacts["model"]
        weights = Path(model, "Format-Serving", "variables", "variables.data-00000-of-00001")
        content = weights.read_bytes()
        weights.write_bytes(content[:100])
        # What was validated before the damage comes from the cache, unless something changed.
        answer = _run(shop, "--set", "infra.examples=2")
        weights.write_bytes(content)
        assert answer.code == 1, answer
        assert answer.err.startswith("cohortrec: nothing was pushed: the model cannot be served: ")
        assert "stand-in model server" in answer.err
        assert "Failed to start server" in answer.err
        assert _versions(shop) == []

    @pytest.mark.usefixtures("nothing_served")
    def test_a_model_that_does_not_answer_is_not_pushed(self, shop):
        """The gates pass it, but the server refuses it: its warm-up requests are damaged."""
        (model,) = _states(shop)["ClusterCombiner"].artifacts["model"]
        warmup = Path(model, "Format-Serving", "assets.extra", "tf_serving_warmup_requests")
        content = warmup.read_bytes()
        warmup.write_bytes(content[:-1])
        answer = _run(shop, "--set", "infra.examples=2")
        warmup.write_bytes(content)
        # The same question as before: a refusal is never taken from the cache.
        assert _states(shop)["InfraValidator"].state == "ran"
        assert answer.code == 1, answer
        assert "FAILED  the model cannot be served: " in answer.out
        assert "refused: nothing was pushed" in answer.out
        assert _versions(shop) == []
        gates = json.loads((shop / "out" / "metrics.json").read_text())["gates"]
        assert [gate["gate"] for gate in gates if not gate["passed"]] == ["served"]
        page = (shop / "out" / "report" / "index.html").read_text()
        assert "Refused: the model cannot be served" in page

    def test_what_was_rolled_back_comes_back_only_by_hand(self, shop):
        serving = shop / "out" / "serving"
        (version,) = _versions(shop)
        older = serving / str(version - 1)
        shutil.copytree(serving / str(version), older)
        write_model_id(older, "another")
        rollback = ("serving", "rollback", shop / "out", "--version", older.name, "--grace", "0")
        assert cohortrec(*rollback).code == 0
        assert cohortrec(*self._ask(shop, "")).code == 0
        # The gates would let it pass: against itself nothing is worse.
        answer = _run(shop, "--set", "gates.mode=warn")
        assert answer.code == 1, answer
        page = (shop / "out" / "report" / "index.html").read_text()
        for said in (answer.out, page):
            assert f"it is version {version}, which was rolled back" in said
        assert "Not pushed: rolled back before" in page
        assert "Pushed:" not in page
        (folder,) = _states(shop)["BaselineModel"].artifacts["model"]
        baseline = json.loads(Path(folder, "baseline.json").read_text())
        assert (baseline["kind"], baseline["version"]) == ("served", older.name)
        assert _versions(shop) == [version - 1]
        answer = cohortrec("serving", "promote", shop / "out", "--version", str(version))
        assert answer.code == 0, answer
        assert _versions(shop) == [version - 1, version]

    def test_a_model_that_was_overtaken_is_not_pushed(self, shop, monkeypatch):
        """Another run pushes after this one has looked what is served."""
        compared = max(_versions(shop))
        look = BaselineExecutor.Do

        def look_and_be_overtaken(*arguments):
            look(*arguments)
            _push_another(shop / "out" / "serving", compared)

        with monkeypatch.context() as patched:
            patched.setattr(BaselineExecutor, "Do", look_and_be_overtaken)
            answer = _run(shop, "--set", "serving.top_k=7")
        assert answer.code == 1, answer
        other = max(_versions(shop))
        assert other > compared
        page = (shop / "out" / "report" / "index.html").read_text()
        for said in (answer.out, page):
            assert f"version {compared} was served when the model was compared" in said
            assert f"version {other} is served now" in said
        assert "Not pushed: something else is served now" in page
        figures = json.loads((shop / "out" / "metrics.json").read_text())
        assert (figures["status"], figures["trained"]) == ("overtaken", [])
        assert VersionFolder(shop / "out" / "serving").state().stable == other

    def test_a_longer_list_is_pushed(self, shop):
        """What was overtaken is compared with the other one now. Nobody is ranked otherwise, so
        that the gates ask for no gain; nothing is trained.
        """
        before = _versions(shop)
        answer = _run(shop, "--set", "serving.top_k=7")
        assert answer.code == 0, answer
        assert "nothing was trained (all from cache)" in answer.out
        assert "what every user took next is ranked alike" in answer.out
        (version,) = set(_versions(shop)) - set(before)
        assert version > max(before)
        assert f"pushed as version {version}" in answer.out
        ran = {name for name, node in _states(shop).items() if node.state == "ran"}
        assert ran == REDONE_EVERY_TIME
        assert "gives no more than 7" in cohortrec(*self._ask(shop, "")).out

    @staticmethod
    def _ask(shop, history):
        return "recommend", "--model", shop / "out" / "serving", "--history", history


def _push_another(serving, version):
    """What another run does: a version like the given one, but of another model, gets stable."""
    folder = VersionFolder(serving)
    with folder.changing() as state:
        staging = folder.staging()
        staged = shutil.copytree(serving / str(version), staging / str(version))
        write_model_id(staged, "of another run")
        admit(folder, state, folder.take_in(staged, state), DeploymentConfig())
        staging.rmdir()


def _leave_an_interrupted_execution(shop):
    store = MetadataStore(
        metadata.sqlite_metadata_connection_config(str(shop / "out" / "metadata.db"))
    )
    copy = mlmd.Execution(
        type_id=store.get_execution_type(store.get_executions()[0].type).id,
        last_known_state=mlmd.Execution.RUNNING,
    )
    store.put_executions([copy])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["events.csv"]),
        ("who,what,when\na,b,2024-01-01\n", ["events.csv", "user_id"]),
        ("user_id,item_id,timestamp\n" + "a,b,2024-01-01\n" * 3, []),
        ("user_id,item_id,timestamp\na,b,2024-01-01\nb,c,2024-01-02\n", []),
    ],
)
def test_unusable_logs_are_explained(content, parts, tmp_path):
    (tmp_path / "events.csv").write_text(content)
    answer = cohortrec("run", "--events", tmp_path / "events.csv", "--output", tmp_path / "out")
    assert answer.code == 2, answer
    assert answer.err.startswith("cohortrec: ")
    assert all(part in answer.err for part in parts)
    assert "Traceback" not in answer.out + answer.err
    assert not (tmp_path / "out" / "serving").exists()
