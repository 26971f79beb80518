import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import (
    metrics_plots_and_validations_evaluator as evaluator,
)

from components.ranking_metrics import (
    MRR,
    CatalogueCoverage,
    Examples,
    HitRate,
    NextItemNDCG,
    Users,
)
from components.ranking_metrics.significant_change import SignificantChange
from trainer.evaluation.metrics import paired_difference, ranking_metrics

pytestmark = pytest.mark.slow

MODELS = ["candidate", "baseline"]
TWO_MODELS = tfma.EvalConfig(
    model_specs=[
        tfma.ModelSpec(name="candidate"),
        tfma.ModelSpec(name="baseline", is_baseline=True),
    ]
)


def extracts(ranks, recommended=(b"a", b""), catalogue_size=8):
    """One example's extracts; a list of ranks for several models, a number for one alone."""
    outputs = [
        {
            "rank": np.array(rank, np.float32),
            "recommended": np.array(recommended, object),
            "catalogue_size": np.array(catalogue_size),
        }
        for rank in np.atleast_1d(ranks)
    ]
    many = isinstance(ranks, (list, tuple, np.ndarray))
    predictions = dict(zip(MODELS, outputs, strict=True)) if many else outputs[0]
    return {tfma.PREDICTIONS_KEY: predictions, tfma.SLICE_KEY_TYPES_KEY: [()]}


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


def change_of(ranks, **settings):
    metric = SignificantChange(**({"k": 10, "min_users": 5, "confidence": 0.95} | settings))
    computed = compute([metric], [extracts(pair) for pair in ranks], MODELS)
    return (
        computed["ndcg@10_significant_change", "candidate"],
        computed["ndcg@10_chance", "candidate"],
    )


def test_a_clear_change_is_kept_and_chance_agrees_with_the_bootstrap():
    generator = np.random.default_rng(1)
    baseline = generator.integers(1, 30, size=800)
    candidate = np.maximum(baseline - generator.integers(0, 6, size=800), 1)
    change, chance = change_of(np.stack([candidate, baseline], axis=1))
    paired = paired_difference(candidate, baseline)
    assert change == pytest.approx(paired.mean)
    assert chance == pytest.approx((paired.high - paired.low) / 2, rel=0.1)


def test_noise_is_no_change():
    generator = np.random.default_rng(2)
    ranks = generator.integers(1, 15, size=(40, 2))
    change, chance = change_of(ranks)
    assert change == 0.0
    assert 0.05 < chance < 0.3
    plain, _ = change_of(ranks, confidence=0.0)
    assert plain == pytest.approx(paired_difference(ranks[:, 0], ranks[:, 1]).mean)


def test_few_users_show_no_change():
    assert change_of([[20, 1]] * 4) == (0.0, pytest.approx(0.0))
    assert change_of([[20, 1]] * 5)[0] == -1.0
    assert change_of([[20, 1]]) == (0.0, 1.0)
    # Without a target a user is not counted.
    assert change_of([[20, 1]] * 4 + [[0, 0]])[0] == 0.0


def test_no_change_without_a_baseline():
    alone = tfma.EvalConfig(model_specs=[tfma.ModelSpec(name="candidate")])
    metric = SignificantChange(k=10, min_users=5, confidence=0.95)
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
    change = SignificantChange(k=10, min_users=5, confidence=0.9)
    assert SignificantChange.from_config(change.get_config()).kwargs == change.kwargs
