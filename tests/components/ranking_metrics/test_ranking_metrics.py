import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import (
    metrics_plots_and_validations_evaluator as evaluator,
)

from components.ranking_metrics import (
    MRR,
    CatalogueCoverage,
    ChangeBeyondChance,
    ClusterLoss,
    Examples,
    HeldOutNDCG,
    HitRate,
    LeadOverFree,
    NextItemNDCG,
    Users,
)
from trainer.evaluation.chance import above_zero_p_value, least_change
from trainer.evaluation.metrics import ranking_metrics, user_values

pytestmark = pytest.mark.slow

MODELS = ["candidate", "baseline"]
TWO_MODELS = tfma.EvalConfig(
    model_specs=[
        tfma.ModelSpec(name="candidate"),
        tfma.ModelSpec(name="baseline", is_baseline=True),
    ]
)


def list_with(rank):
    """A list that has the item which the user takes next at this place."""
    return [b"next" if place == rank else b"other" for place in range(1, 51)]


def extracts(ranks, recommended=None, catalogue_size=8, cluster=None, free=False, free_rank=None):
    """One example's extracts; a list of ranks for several models, a number for one alone."""
    ranks_of_models = np.atleast_1d(ranks)
    outputs = [
        {
            "rank": np.array(rank, np.float32),
            "recommended": np.array(recommended or list_with(rank), object),
            "catalogue_size": np.array(catalogue_size),
        }
        for rank in ranks_of_models
    ]
    found = {} if cluster is None else {"cluster_id": np.array([cluster])}
    if ranks_of_models.any():
        found["target_item_ids"] = np.array([b"next"], object)
    if free_rank is not None:
        found["free_item_ids"] = np.array(list_with(free_rank), object)
    many = isinstance(ranks, (list, tuple, np.ndarray))
    predictions = dict(zip(MODELS, outputs, strict=True)) if many else outputs[0]
    if free:
        predictions["baseline"]["free"] = np.array(1)
    return {
        tfma.PREDICTIONS_KEY: predictions,
        tfma.FEATURES_KEY: found,
        tfma.SLICE_KEY_TYPES_KEY: [()],
    }


def compute(metrics, rows, models=("",), config=TWO_MODELS):
    """What TFMA's evaluator computes, with the examples split over two accumulators."""
    computations = [
        computation
        for metric in metrics
        for computation in metric.computations(
            eval_config=config, model_names=list(models), example_weighted=False
        )
    ]
    kinds = evaluator._filter_and_separate_computations(computations)
    combine = evaluator._ComputationsCombineFn(kinds.non_derived_computations)
    preprocess = evaluator._PreprocessorDoFn(kinds.non_derived_computations)
    accumulators = [combine.create_accumulator(), combine.create_accumulator()]
    for number, row in enumerate(rows):
        (element,) = preprocess.process(row)
        accumulators[number % 2] = combine.add_input(accumulators[number % 2], element)
    results = combine.extract_output(combine.merge_accumulators(accumulators))
    for derived in kinds.derived_computations:
        results.update(derived.result(results))
    return {(key.name, key.model_name): value for key, value in results.items()}


def test_rank_metrics_agree_with_the_trainer():
    ranks = np.random.default_rng(0).integers(0, 40, size=300)
    metrics = [HitRate(5), HitRate(20), NextItemNDCG(10), MRR(), Users()]
    computed = compute(metrics, [extracts(float(rank)) for rank in ranks])
    expected = ranking_metrics(ranks)
    for name in ("hr@5", "hr@20", "ndcg@10", "mrr", "users"):
        assert computed[name, ""] == pytest.approx(expected[name])


def test_all_rank_metrics_share_one_computation():
    computations = [
        computation
        for metric in (HitRate(5), NextItemNDCG(10), MRR(), Users())
        for computation in metric.computations(model_names=MODELS)
    ]
    kinds = evaluator._filter_and_separate_computations(computations)
    assert len(kinds.non_derived_computations) == 1
    assert len(kinds.derived_computations) == 4


def test_a_slice_without_targets_is_zero():
    computed = compute([NextItemNDCG(10), MRR(), Users(), Examples()], [extracts(0.0)])
    assert {computed[name, ""] for name in ("ndcg@10", "mrr", "users")} == {0.0}
    assert computed["example_count", ""] == 1.0


def test_each_model_gets_its_own_metric():
    computed = compute([MRR()], [extracts([1, 4]), extracts([2, 4])], MODELS)
    assert computed["mrr", "candidate"] == 0.75
    assert computed["mrr", "baseline"] == 0.25


def test_coverage_counts_distinct_items_of_the_first_k():
    rows = [
        extracts(0.0, (b"a", b"b", b"x")),
        extracts(0.0, (b"b", b"", b"")),
        extracts(0.0, (b"c", b"a", b"y")),
    ]
    assert compute([CatalogueCoverage(2)], rows)["coverage@2", ""] == 3 / 8
    assert compute([CatalogueCoverage(3)], rows)["coverage@3", ""] == 5 / 8
    assert compute([CatalogueCoverage(2)], [])["coverage@2", ""] == 0.0


def change_of(ranks, free=False, **settings):
    metric = ChangeBeyondChance(**({"k": 10, "max_loss": 0.05, "confidence": 0.95} | settings))
    computed = compute([metric], [extracts(pair, free=free) for pair in ranks], MODELS)
    return (
        computed["basket_ndcg@10_beyond_asked", "candidate"],
        computed["basket_ndcg@10_asked", "candidate"],
    )


def loss_of(ranks, clusters, **settings):
    metric = ClusterLoss(**({"k": 10, "max_loss": 0.01, "min_users": 30} | settings))
    rows = [extracts(pair, cluster=k) for pair, k in zip(ranks, clusters, strict=True)]
    computed = compute([metric], rows, MODELS)
    return (
        computed["basket_ndcg@10_loss_p_value", "candidate"],
        computed["basket_ndcg@10_cluster_p_value", "candidate"],
    )


def jittered(users, better=0, seed=1):
    """Ranks of two models that differ by a few places, of the candidate fewer by `better`."""
    rng = np.random.default_rng(seed)
    base = rng.integers(1, 30, users)
    two = [np.maximum(base + rng.integers(-2, 3, users) - up, 1) for up in (better, 0)]
    return np.stack(two, axis=1)


def test_the_least_change_is_that_of_the_users_values():
    ranks = jittered(800)
    candidate, baseline = (user_values(ranks[:, i], "ndcg@10") for i in (0, 1))
    least = least_change(candidate, baseline, 0.95)
    assert change_of(ranks) == (pytest.approx(least + 0.05), -0.05)
    assert change_of(ranks, free=True) == (pytest.approx(least), 0.0)
    assert change_of(ranks, max_loss=0.2)[0] == pytest.approx(least + 0.2)
    assert change_of(ranks, confidence=0.8)[0] > change_of(ranks)[0]


def test_a_free_baseline_must_be_beaten_and_a_served_one_must_not():
    equal, better = jittered(2000), jittered(2000, better=3)
    assert change_of(equal, max_loss=0.15)[0] > 0
    assert change_of(equal, free=True)[0] < 0
    assert change_of(better, free=True)[0] > 0


def test_only_a_served_model_may_be_ranked_alike():
    same = [[3, 3], [40, 40]] * 5
    assert change_of(same)[0] == float("inf")
    assert change_of([*same, [0, 0]])[0] == float("inf")  # without a target a user is not counted
    assert change_of(same, free=True)[0] < 0
    assert change_of([*same, [41, 40]])[0] < 0
    assert change_of([[0, 0]])[0] < 0


def test_the_loss_of_a_cluster_is_corrected_for_their_number():
    ranks = [[1, 1]] * 100 + [[3, 1]] * 10 + [[1, 1]] * 60
    clusters = [0] * 50 + [1] * 50 + [2] * 40 + [3] * 30
    loss = np.repeat([0.5, 0.0], [10, 30]) - 0.01
    alone = above_zero_p_value(loss, -1.01)
    assert alone < 0.05
    assert loss_of(ranks, clusters)[1] == pytest.approx(4 * alone)
    # Clusters that are not judged correct nothing, and lose nothing.
    assert loss_of(ranks, clusters, min_users=40)[1] == pytest.approx(3 * alone)
    assert loss_of(ranks, clusters, min_users=45)[1] == pytest.approx(1.0)
    assert loss_of(ranks, clusters, min_users=1000)[1] == 1.0
    assert loss_of(ranks[100:140], clusters[100:140])[0] == pytest.approx(alone)


def test_a_loss_counts_only_beyond_what_is_allowed():
    ranks, clusters = [[3, 1]] * 10 + [[1, 1]] * 30, [0] * 40
    assert loss_of(ranks, clusters)[1] < 0.05
    assert loss_of(ranks, clusters, max_loss=0.1)[1] > 0.05
    assert loss_of(ranks, clusters, max_loss=0.2)[1] > 0.5


def test_users_without_a_cluster_are_one_more():
    ranks = [[3, 1]] * 60
    assert loss_of(ranks, [None] * 30 + [0] * 30)[1] == pytest.approx(
        2 * loss_of(ranks[:30], [0] * 30)[1], rel=1e-3
    )


def test_the_lead_over_the_best_free_baseline_is_that_of_the_users_values():
    ranks = jittered(600, better=2)
    rows = [extracts([mine, 40], free_rank=free) for mine, free in ranks.tolist()]
    computed = compute([LeadOverFree(10, confidence=0.95)], rows, MODELS)
    candidate, free = (user_values(ranks[:, i], "ndcg@10") for i in (0, 1))
    assert computed["basket_ndcg@10_lead_over_free", "candidate"] == pytest.approx(
        least_change(candidate, free, 0.95)
    )
    assert computed["basket_ndcg@10_free", "candidate"] == pytest.approx(free.mean())


def test_examples_without_the_free_list_are_refused_by_name():
    with pytest.raises(ValueError, match="no feature 'free_item_ids'; give the Evaluator the"):
        compute([LeadOverFree(10, confidence=0.95)], [extracts([1, 2])], MODELS)


def test_everything_that_a_user_took_counts_whatever_its_order():
    found = []
    for taken in ([b"a", b"b", b"gone"], [b"gone", b"b", b"a"]):
        row = extracts([1, 1], recommended=[b"b", b"x", b"a", b"", b""])
        row[tfma.FEATURES_KEY]["target_item_ids"] = np.array(taken, object)
        found.append(compute([HeldOutNDCG(10)], [row, extracts([0, 0])], MODELS))
    assert found[0] == found[1]
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert found[0]["basket_ndcg@10", "candidate"] == pytest.approx((1 + 1 / 2) / ideal)


def test_no_change_without_a_baseline():
    alone = tfma.EvalConfig(model_specs=[tfma.ModelSpec(name="candidate")])
    for metric in (
        ChangeBeyondChance(k=10, max_loss=0.05, confidence=0.95),
        ClusterLoss(k=10, max_loss=0.01, min_users=30),
    ):
        assert metric.computations(eval_config=alone, model_names=["candidate"]) == []


def test_a_model_without_the_signature_is_named():
    row = extracts([1, 1])
    del row[tfma.PREDICTIONS_KEY]["baseline"]["rank"]
    with pytest.raises(ValueError, match="model 'baseline' has no output 'rank'"):
        compute([MRR()], [row], MODELS)


def test_metrics_survive_their_configuration():
    for metric in (HitRate(5), NextItemNDCG(10), MRR(), Users(), CatalogueCoverage(20)):
        again = type(metric).from_config(metric.get_config())
        assert again.name == metric.name
    for metric in (
        ChangeBeyondChance(k=10, max_loss=0.05, confidence=0.9),
        ClusterLoss(k=10, max_loss=0.01, min_users=5),
    ):
        assert type(metric).from_config(metric.get_config()).kwargs == metric.kwargs
