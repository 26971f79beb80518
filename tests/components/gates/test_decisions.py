import functools
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx.components.evaluator.executor import Executor
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.baseline_model.record import BaselineRecord
from components.gates.config import GatesConfig
from components.gates.decisions import explain
from components.gates.eval_config import build_eval_config
from components.gates.slice_metrics import read_metrics
from tests.helpers.evaluated_model import save_evaluated
from trainer.graphs import graph_function
from trainer.serving import baseline_recommender
from trainer.settings import ConfigError

pytestmark = pytest.mark.slow

# What the users of each cluster take next, and how many there are.
CLUSTERS = [(0, b"a", 60), (1, b"b", 40), (-1, b"d", 5)]  # five users belong to none

# Popularity lists of three models, the best items first.
CANDIDATE = b"a b e f g h c d"
ABOUT_AS_GOOD = b"a b e f g h c i d"  # "d" stands a place lower
FORGETS_CLUSTER_1 = b"b c d a e f g h"
WORSE_FOR_ALL = b"h g c a b d e f"

FINDS_NOTHING = b"x y z"

# Nothing that anybody takes is among the first ten.
LONG = b"1 2 3 4 5 6 7 8 9 10 a b c d e f g h"
LONG_OTHERWISE = b"1 2 3 4 5 6 7 8 9 10 b a c d e f g h"


class Served(baseline_recommender.BaselineRecommender):
    """Not one of the free baselines, as a model that was trained and pushed is not."""

    @graph_function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples):
        found = dict(super().evaluate(examples))
        del found[baseline_recommender.FREE]
        return found


FREE = baseline_recommender.BaselineRecommender


def feature(*values):
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def write_examples(folder, free):
    """The users of `CLUSTERS`; to all of them the free baseline recommends the same."""
    (folder / "Split-test").mkdir()
    with tf.io.TFRecordWriter(
        str(folder / "Split-test/data_tfrecord-00000-of-00001.gz"),
        tf.io.TFRecordOptions(compression_type="GZIP"),
    ) as writer:
        for cluster, target, users in CLUSTERS:
            for user in range(users):
                history = {
                    "user_id": feature(f"{cluster}-{user}".encode()),
                    "item_ids": feature(b"e", *[b"f"] * (user % 2)),
                    "target_item_ids": feature(target),
                    "free_item_ids": feature(*free.split()),
                    "history_length": feature(b"1-4" if user % 2 else b"5-9"),
                    "cluster_id": feature(cluster),
                }
                # A user without a next item is no part of any metric.
                if user == 0 and cluster == 0:
                    del history["target_item_ids"]
                writer.write(
                    tf.train.Example(
                        features=tf.train.Features(feature=history)
                    ).SerializeToString()
                )
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(["test"])
    return artifact


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory):
    """Runs TFX's Evaluator on two popularity lists; the same question is answered once."""
    folder = tmp_path_factory.mktemp("models")
    answers = {}
    examples = functools.cache(lambda free: write_examples(tmp_path_factory.mktemp("e"), free))

    def model(ranking, kind=Served):
        artifact = standard_artifacts.Model()
        artifact.uri = str(folder / (ranking.decode().replace(" ", "") + kind.__name__))
        if not Path(artifact.uri).exists():
            items = ranking.split()
            exported = kind(items, np.arange(len(items), 0, -1), False, False, top_k=3)
            save_evaluated(exported, Path(artifact.uri) / "Format-Serving")
        return artifact

    def run(candidate, baseline, kind=Served, free=FINDS_NOTHING, **settings):
        gates = GatesConfig.from_dict(settings)
        question = (candidate, baseline, kind, free, gates.to_json())
        if question not in answers:
            outputs = {
                "evaluation": standard_artifacts.ModelEvaluation(),
                "blessing": standard_artifacts.ModelBlessing(),
            }
            for name, artifact in outputs.items():
                artifact.uri = str(folder / f"{name}-{len(answers)}")
                Path(artifact.uri).mkdir()
            Executor().Do(
                {
                    "examples": [examples(free)],
                    "model": [model(candidate)],
                    "baseline_model": [model(baseline, kind)],
                },
                {name: [artifact] for name, artifact in outputs.items()},
                {
                    "eval_config": proto_utils.proto_to_json(build_eval_config(gates)),
                    "example_splits": '["test"]',
                    "fairness_indicator_thresholds": "null",
                },
            )
            blessed = (Path(outputs["blessing"].uri) / "BLESSED").exists()
            answers[question] = (outputs["evaluation"].uri, blessed, gates)
        return answers[question]

    return run


def failed(decisions):
    return [(decision.gate, decision.slice) for decision in decisions if not decision.passed]


def test_a_better_model_is_blessed(evaluate):
    uri, blessed, gates = evaluate(CANDIDATE, WORSE_FOR_ALL)
    decisions = explain(uri, gates)
    assert blessed
    assert not failed(decisions)
    assert [(d.gate, d.slice) for d in decisions] == [
        ("users", "overall"),
        ("floor", "overall"),
        ("free", "overall"),
        ("change", "overall"),
        ("cluster", "cluster 0"),
        ("cluster", "cluster 1"),
        ("cluster", "no cluster"),
    ]
    assert "no loss" in decisions[4].sentence
    assert "not judged: 5 of 30 users (gates.min_cluster_users)" in decisions[6].sentence


def test_the_metrics_of_every_slice(evaluate):
    metrics = read_metrics(evaluate(CANDIDATE, WORSE_FOR_ALL)[0])
    assert set(metrics) == {
        "overall",
        "cluster_id:0",
        "cluster_id:1",
        "cluster_id:-1",
        "history_length:1-4",
        "history_length:5-9",
    }
    overall = metrics["overall"]
    gains = 59 * 1.0 + 40 / np.log2(3) + 5 / np.log2(9)
    assert overall.candidate["ndcg@10"] == pytest.approx(gains / 104)
    assert overall.candidate["hr@5"] == pytest.approx(99 / 104)
    assert overall.candidate["mrr"] == pytest.approx((59 + 40 / 2 + 5 / 8) / 104)
    assert (overall.candidate["users"], overall.candidate["example_count"]) == (104, 105)
    assert overall.candidate["coverage@20"] == 1.0
    assert metrics["cluster_id:1"].baseline["ndcg@10"] == pytest.approx(1 / np.log2(6))
    assert overall.change["ndcg@10"] == pytest.approx(
        overall.candidate["ndcg@10"] - overall.baseline["ndcg@10"]
    )
    # Everybody in a cluster gains, so that no loss is in question.
    assert metrics["cluster_id:1"].change["basket_ndcg@10_loss_p_value"] == pytest.approx(1)
    assert overall.change["basket_ndcg@10_cluster_p_value"] == pytest.approx(1)


def test_too_few_users_decide_nothing(evaluate):
    uri, blessed, gates = evaluate(CANDIDATE, WORSE_FOR_ALL, min_test_users=105)
    decisions = explain(uri, gates)
    assert not blessed
    assert failed(decisions) == [("users", "overall")]
    assert "104 evaluated users are fewer than 105 (gates.min_test_users)" in decisions[0].sentence


def test_a_worse_model_fails_overall(evaluate):
    uri, blessed, gates = evaluate(WORSE_FOR_ALL, CANDIDATE, kind=FREE)
    decisions = explain(uri, gates, BaselineRecord("own_items", "1", "why"))
    assert not blessed
    assert failed(decisions)[0] == ("change", "overall")
    assert re.search(
        r"the baseline's 0\.8251 \(own items, then popularity\); "
        r"with 95% confidence it is at most [\d.]+% lower; it must be higher$",
        decisions[3].sentence,
    )


def test_a_model_about_as_good_as_the_served_one_goes_on(evaluate):
    """It needs no gain, but a margin that leaves room for chance; before, it was refused."""
    uri, blessed, gates = evaluate(ABOUT_AS_GOOD, CANDIDATE)
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert blessed
    assert not failed(decisions)
    assert decisions[3].change < 0
    assert decisions[3].threshold == -0.05
    assert re.search(
        r"below the served model's 0\.8251; with 95% confidence it is at most 3\.\d% lower; "
        r"it may be at most 5\.0% lower \(gates\.max_loss\)$",
        decisions[3].sentence,
    )


@pytest.mark.parametrize("strict", [{"max_loss": 0}, {"confidence": 0.999}])
def test_margin_and_confidence_can_be_stricter(evaluate, strict):
    uri, blessed, gates = evaluate(ABOUT_AS_GOOD, CANDIDATE, **strict)
    assert not blessed
    assert failed(explain(uri, gates)) == [("change", "overall")]


@pytest.mark.parametrize("free", [CANDIDATE, ABOUT_AS_GOOD])
def test_the_best_free_baseline_is_an_opponent_whatever_is_served(evaluate, free):
    """Far better than what is served, and yet no better than what costs nothing."""
    uri, blessed, gates = evaluate(CANDIDATE, WORSE_FOR_ALL, free=free)
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert not blessed
    assert failed(decisions) == [("free", "overall")]
    assert re.search(
        r"NDCG@10 0\.8251 is .* the best free baseline's 0\.8\d+; with 95% confidence it is "
        r"at most [\d.]+% lower; it must be higher$",
        decisions[2].sentence,
    )


def test_who_beats_the_best_free_baseline_beyond_chance_passes(evaluate):
    uri, blessed, gates = evaluate(CANDIDATE, WORSE_FOR_ALL, free=b"b a")
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert blessed
    free = (59 / np.log2(3) + 40) / 104
    assert decisions[2].baseline == pytest.approx(free)
    assert decisions[2].passed


def test_a_free_baseline_must_be_beaten(evaluate):
    """To be as good is not enough."""
    uri, blessed, gates = evaluate(CANDIDATE, CANDIDATE, kind=FREE)
    decisions = explain(uri, gates, BaselineRecord("popularity", "1", "why"))
    assert not blessed
    assert failed(decisions) == [("change", "overall")]
    assert decisions[3].sentence.endswith("lower; it must be higher")
    assert decisions[3].threshold == 0


def test_a_loss_in_one_cluster_fails_though_the_whole_improves(evaluate):
    uri, blessed, gates = evaluate(CANDIDATE, FORGETS_CLUSTER_1)
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert not blessed
    assert failed(decisions) == [("cluster", "cluster 1")]
    assert re.fullmatch(
        r"cluster 1: NDCG@10 0\.6309 is 0\.3691 below the served model's 1\.0000; at most 0\.0100 "
        r"is allowed \(gates\.max_cluster_loss\), and chance does not explain more among 2 "
        r"clusters \(p = [\d.e-]+\)",
        decisions[5].sentence,
    )
    assert decisions[5].threshold == -0.01


def test_what_the_evaluator_says_of_clusters_is_what_the_explanation_says(evaluate):
    """The cluster's p-value is doubled, for two clusters are judged; the five others are not."""
    overall, cluster = (
        read_metrics(evaluate(CANDIDATE, FORGETS_CLUSTER_1)[0])[name].change
        for name in ("overall", "cluster_id:1")
    )
    assert 0 < cluster["basket_ndcg@10_loss_p_value"] < 0.001
    assert overall["basket_ndcg@10_cluster_p_value"] == pytest.approx(
        2 * cluster["basket_ndcg@10_loss_p_value"]
    )
    # One of two clusters may not be judged: then nothing is doubled, and nobody is left to lose.
    metrics = read_metrics(evaluate(CANDIDATE, FORGETS_CLUSTER_1, min_cluster_users=50)[0])
    assert metrics["overall"].change["basket_ndcg@10_cluster_p_value"] == pytest.approx(1)


def test_a_model_that_ranks_every_user_alike_passes(evaluate):
    """Only what is served beside the ranking can differ, so that it is no question of quality."""
    uri, blessed, gates = evaluate(CANDIDATE, CANDIDATE, max_loss=0)
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert blessed
    assert not failed(decisions)
    sentence = decisions[3].sentence
    assert "0.8251 is the same as the served model's 0.8251" in sentence
    assert "what every user took next is ranked alike" in sentence


def test_the_same_quality_by_other_ranks_is_not_ranked_alike(evaluate):
    """Below rank 10 two models differ: of what nobody sees, nothing follows."""
    uri, blessed, gates = evaluate(LONG, LONG_OTHERWISE, min_ndcg_at_10=0)
    decisions = explain(uri, gates, BaselineRecord("served", "7", "why"))
    assert not blessed
    assert failed(decisions) == [("free", "overall"), ("change", "overall")]
    assert (
        "0.0000 is the same as the served model's 0.0000; with 95% confidence it is at most "
        "100.0% lower; it may be at most 5.0% lower" in decisions[3].sentence
    )


def test_warning_blesses_and_still_reports(evaluate):
    uri, blessed, gates = evaluate(WORSE_FOR_ALL, CANDIDATE, mode="warn")
    assert blessed
    assert failed(explain(uri, gates))[0] == ("change", "overall")


def test_the_floor_has_its_own_sentence_and_a_wide_margin_lets_a_cluster_lose(evaluate):
    uri, blessed, gates = evaluate(
        CANDIDATE, FORGETS_CLUSTER_1, max_cluster_loss=0.4, min_ndcg_at_10=0.9
    )
    (decision,) = [d for d in explain(uri, gates) if not d.passed]
    assert not blessed
    assert decision.sentence == (
        "overall: NDCG@10 0.8251 is below the floor of 0.9000 (gates.min_ndcg_at_10)"
    )


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="did you mean 'gates.max_cluster_loss'"):
        GatesConfig.from_dict({"max_cluster_los": 0.1}, prefix="gates.")
    with pytest.raises(ConfigError, match="min_improvement"):
        GatesConfig.from_dict({"min_improvement": 0.0}, prefix="gates.")
    with pytest.raises(ConfigError, match="mode"):
        GatesConfig.from_dict({"mode": "ignore"})


def test_the_configuration_is_one_that_tfma_accepts():
    config = tfma.utils.update_eval_config_with_defaults(
        build_eval_config(GatesConfig()), has_baseline=True, rubber_stamp=True
    )
    tfma.utils.verify_eval_config(config)
    assert [spec.is_baseline for spec in config.model_specs] == [False, True]
