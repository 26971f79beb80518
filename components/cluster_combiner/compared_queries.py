"""The queries of every compared model for the users of both judged splits."""

from __future__ import annotations

import numpy as np

from components.cluster_combiner.combiner_inputs import JUDGED_SPLITS, CombinerInputs
from components.cluster_combiner.controls import score_controls
from components.cluster_combiner.fitting import Fit, combine, fit_strengths
from components.cluster_combiner.scored import Scored, score
from components.cluster_combiner.transitions import TransitionsFit, fit_transitions
from trainer.data.item_transitions import ItemTransitions
from trainer.evaluation.compared_models import (
    COMBINER,
    CONTINUED,
    ENCODER,
    GLOBAL,
    RANDOM_COMBINER,
    RANDOM_ROUTED,
    ROUTED,
)
from trainer.evaluation.scorer import Scorer
from trainer.inference.own_members import OwnMembers
from trainer.progress import progress
from trainer.raw_history import TEST, VALIDATION

Queries = dict[str, dict[str, np.ndarray]]
"""Split to model to queries float32 [users, width]."""


def score_splits(inputs: CombinerInputs) -> dict[str, Scored]:
    """Runs the global encoder and the specialists over the judged splits."""
    own = [OwnMembers(tower, inputs.encoder.tower) for tower in inputs.specialists]
    histories = {split: inputs.histories(inputs.examples[split]) for split in JUDGED_SPLITS}
    scorer = Scorer(inputs.encoder, histories[VALIDATION])
    return {
        split: score(scorer.on(users), own, inputs.geometry, inputs.config.specialists_per_user)
        for split, users in histories.items()
    }


def weigh_transitions(
    inputs: CombinerInputs, counted: ItemTransitions, validation: Scored
) -> TransitionsFit:
    """Weighs the transitions of the training histories on the validation users."""
    if not inputs.config.transitions:
        return TransitionsFit.none("combiner.transitions=false")
    fit = fit_transitions(
        counted, validation.scorer, validation.histories, validation.queries[0], inputs.seed
    )
    progress.info("item transitions: %s", fit.record.reason)
    return fit


def with_transitions(scored: dict[str, Scored], fit: TransitionsFit) -> dict[str, Scored]:
    """The same splits, ranked with the transitions where these are used."""
    if fit.transitions is None:
        return scored
    scorer = scored[VALIDATION].scorer.with_transitions(fit.transitions)
    return {
        split: seen._replace(scorer=scorer.on(seen.histories)) for split, seen in scored.items()
    }


def fit_specialists(inputs: CombinerInputs, validation: Scored) -> Fit:
    """Fits the strengths of a partition's specialists on its validation users."""
    return fit_strengths(
        queries=validation.queries,
        membership=validation.membership,
        histories=validation.histories,
        catalogue=inputs.encoder.catalogue,
        own_events=inputs.encoder.own_events,
        values_of=validation.scorer.values,
        config=inputs.config,
        seed=inputs.seed,
    )


def compared_queries(
    inputs: CombinerInputs, scored: dict[str, Scored], fit: Fit, transitions: TransitionsFit
) -> Queries:
    """Queries of the global encoder, of the clusters' two models and of the trained controls.

    Args:
        inputs: of the component.
        scored: the judged splits, ranked with transitions where these are used.
        fit: the strengths of the clusters' specialists.
        transitions: with them, the global encoder is compared without them too.
    """
    of_clusters = _partition_queries(scored, fit, routed=ROUTED, combiner=COMBINER)
    of_controls = _control_queries(inputs, scored)
    queries = {}
    for split in JUDGED_SPLITS:
        alone = scored[split].queries[0]
        queries[split] = {GLOBAL: alone, **of_clusters[split], **of_controls[split]}
        if transitions.transitions is not None:
            queries[split][ENCODER] = alone
    return queries


def _partition_queries(
    scored: dict[str, Scored], fit: Fit, *, routed: str, combiner: str
) -> Queries:
    """Queries of a partition's two models, under the names given."""
    test = scored[TEST]
    combined = {
        # Validation users were fitted on; their cross-fitted combination was not.
        VALIDATION: fit.crossfit_queries,
        TEST: combine(test.queries, test.membership, fit.strengths),
    }
    return {
        split: {routed: scored[split].routed(), combiner: combined[split]}
        for split in JUDGED_SPLITS
    }


def _control_queries(inputs: CombinerInputs, scored: dict[str, Scored]) -> Queries:
    """Queries of the controls, if there are any; the random partition is fitted as the clusters."""
    controls = inputs.controls()
    if controls is None:
        return {split: {} for split in JUDGED_SPLITS}
    seen = {
        split: score_controls(inputs.examples[split], controls, scored[split], inputs.seed)
        for split in JUDGED_SPLITS
    }
    random = {split: seen[split].random for split in JUDGED_SPLITS}
    fit = fit_specialists(inputs, random[VALIDATION])
    queries = _partition_queries(random, fit, routed=RANDOM_ROUTED, combiner=RANDOM_COMBINER)
    for split in JUDGED_SPLITS:
        queries[split][CONTINUED] = seen[split].continued
    return queries
