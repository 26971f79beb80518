"""One account of the runs of a log in several orders: the file's order beside those drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfx_pipeline.benchmark.event_orders import FILE
from tfx_pipeline.benchmark.figures import TRANSITIONS
from trainer.evaluation.compared_models import ENCODER, GLOBAL
from trainer.raw_history import TEST

Models = Mapping[str, Mapping[str, float]]


def summarize(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The test figures of all orders.

    Args:
        runs: name of the order (`FILE` and those of the draws) to what `run_benchmark` returned.

    Returns:
        models: model to metric to `file` (the figure in the file's order) and `drawn`, see
            `spread`. The models that every run compared.
        transitions: metric to `file` and `drawn`, each with `times` (the global encoder's figure
            over that without item transitions) and `difference`. Where a run found no weight for
            transitions these are 1 and 0.
        interval: metric to the ends of the 95 % interval over users of the difference in the
            file's order; None where there are no transitions. Those of the draws stand in their
            own files.
    """
    tests = {name: run["splits"][TEST]["models"] for name, run in runs.items()}
    means = {name: _means(models) for name, models in tests.items()}
    drawn = [models for name, models in means.items() if name != FILE]
    compared = [model for model in means[FILE] if all(model in models for models in drawn)]
    metrics = list(means[FILE][GLOBAL])
    return {
        "models": {
            model: {
                metric: {
                    FILE: means[FILE][model][metric],
                    "drawn": spread([models[model][metric] for models in drawn]),
                }
                for metric in metrics
            }
            for model in compared
        },
        "transitions": {
            metric: {
                kind: {
                    FILE: of(means[FILE], metric),
                    "drawn": spread([of(m, metric) for m in drawn]),
                }
                for kind, of in (("times", _times), ("difference", _difference))
            }
            for metric in metrics
        },
        "interval": _interval(tests[FILE]),
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """`mean`, `low` and `high` (the lowest and the highest) of one figure, and the `values`.

    Args:
        values: of each draw, at least one.
    """
    return {
        "mean": sum(values) / len(values),
        "low": min(values),
        "high": max(values),
        "values": list(values),
    }


def _means(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Model to metric to mean, without the differences between models.

    A run that found no weight for item transitions has no encoder without them: it is the same.
    """
    found = {
        model: {metric: figure["mean"] for metric, figure in of_model.items()}
        for model, of_model in figures.items()
        if " - " not in model
    }
    with_encoder = {}
    for model, of_model in found.items():
        if model == GLOBAL and ENCODER not in found:
            with_encoder[ENCODER] = of_model
        with_encoder[model] = of_model
    return with_encoder


def _times(models: Models, metric: str) -> float:
    """Without hits in both there is nothing to divide, and nothing is gained."""
    after, before = (models[model][metric] for model in TRANSITIONS)
    return after / before if before else 1.0


def _difference(models: Models, metric: str) -> float:
    after, before = (models[model][metric] for model in TRANSITIONS)
    return after - before


def _interval(figures: Mapping[str, Any]) -> dict[str, tuple[float, float]] | None:
    found = figures.get(" - ".join(TRANSITIONS))
    if found is None:
        return None
    return {metric: (figure["low"], figure["high"]) for metric, figure in found.items()}
