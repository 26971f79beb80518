"""What the clusters are worth: paired differences between models, and the verdict in words.

A specialist has seen more training than the global encoder, and several models together are better
than one. So that this is not taken for a merit of the clusters, two controls of the same cost are
judged on the same users: specialists of a random partition with the same sizes, and the global
encoder trained on for as many steps.
"""

from __future__ import annotations

import polars as pl

from components.cluster_combiner.record import (
    TOO_FEW,
    Effect,
    Lift,
    Recommendation,
    WorthRecord,
    WorthVerdict,
)
from trainer.evaluation.chance import ENOUGH_USERS, too_few
from trainer.evaluation.compared_models import (
    COMBINER,
    CONTINUED,
    GLOBAL,
    RANDOM_COMBINER,
    RANDOM_ROUTED,
    ROUTED,
    title,
)
from trainer.evaluation.metrics import BASKET_PRIMARY, mean_interval
from trainer.raw_history import TEST, VALIDATION

_CONFIDENCE = 0.95
COMBINATION: Recommendation = "combination"

_PAIRS = (
    (ROUTED, GLOBAL),
    (COMBINER, GLOBAL),
    (CONTINUED, GLOBAL),
    (RANDOM_ROUTED, GLOBAL),
    (RANDOM_COMBINER, GLOBAL),
    (ROUTED, RANDOM_ROUTED),
    (COMBINER, RANDOM_COMBINER),
    (ROUTED, CONTINUED),
    (COMBINER, CONTINUED),
)


def lifts(table: pl.DataFrame, split: str) -> list[Lift]:
    """All comparisons whose models the table has, overall and by cluster.

    Args:
        table: see `comparison.rank_table`.
        split: which users.
    """
    rows = table.filter(pl.col("split") == split)
    sizes = dict(rows.group_by("cluster").len().sort("cluster").iter_rows())
    judged = sum(users >= ENOUGH_USERS for users in sizes.values())
    found = []
    for model, against in _PAIRS:
        if {f"{name}_{BASKET_PRIMARY}" for name in (model, against)} <= set(table.columns):
            found.append(lift(rows, model, against))
            # Else one cluster of twenty would seem to gain by chance.
            each = 1 - (1 - _CONFIDENCE) / max(1, judged)
            found += [
                lift(rows.filter(pl.col("cluster") == k), model, against, k, each) for k in sizes
            ]
    return found


def lift(
    rows: pl.DataFrame,
    model: str,
    against: str,
    cluster: int | None = None,
    confidence: float = _CONFIDENCE,
    measure: str = BASKET_PRIMARY,
) -> Lift:
    """One comparison of two models.

    Args:
        rows: of `comparison.rank_table`, those of the users.
        model: the one in question.
        against: what it is compared with.
        cluster: whose users they are; None for all.
        confidence: of the interval.
        measure: whose values are compared, in columns `MODEL_MEASURE` without gaps.
    """
    low = high = mean = base = 0.0
    if rows.height:
        mine, theirs = (rows[f"{name}_{measure}"].to_numpy() for name in (model, against))
        interval = mean_interval(mine - theirs, confidence)
        mean, low, high = interval.mean, interval.low, interval.high
        base = float(theirs.mean())
    return Lift(
        model=model,
        against=against,
        cluster=cluster,
        users=rows.height,
        mean=mean,
        low=low,
        high=high,
        base=base,
        effect=_effect(rows.height, low, high),
    )


def _effect(users: int, low: float, high: float) -> Effect:
    if users < ENOUGH_USERS:
        return TOO_FEW
    return "helps" if low > 0 else "hurts" if high < 0 else "makes no difference"


def overall(found: list[Lift], model: str, against: str) -> Lift | None:
    """The comparison of two models on all users, None if it was not made."""
    return next(
        (x for x in found if (x.model, x.against, x.cluster) == (model, against, None)), None
    )


def recommend(found: list[Lift], used: bool) -> tuple[Recommendation, str]:
    """Which model to serve, and why.

    Clusters are recommended only if their combination is better than the global encoder and than
    every control that was trained, each time with the whole interval above zero and on enough
    users: otherwise something cheaper does as well.

    Args:
        found: `lifts` of the validation split.
        used: whether the combination has any specialist in it.
    """
    control = overall(found, CONTINUED, GLOBAL)
    longer = control is not None and control.effect == "helps"
    few = next((x.users for x in found if x.cluster is None and x.effect == TOO_FEW), None)
    if few is not None:
        return "global", too_few(few, VALIDATION)
    if not used:
        reason = "the combination uses no specialist"
    else:
        rivals = [x for a in (GLOBAL, RANDOM_COMBINER, CONTINUED) if (x := _of(found, a))]
        lost = [x for x in rivals if x.effect != "helps"]
        if not lost:
            names = " and ".join(f"the {title(x.against)}" for x in rivals)
            return COMBINATION, f"the combination is better than {names}"
        reason = f"the combination is not clearly better than the {title(lost[0].against)}"
    if longer:
        return "train longer", f"{reason}, and the global encoder trained on is better than it was"
    return "global", reason


def _of(found: list[Lift], against: str) -> Lift | None:
    return overall(found, COMBINER, against)


def judge(table: pl.DataFrame, used: bool) -> WorthRecord:
    """Compares the models and decides; the times to answer are still to be added.

    Args:
        table: see `comparison.rank_table`; splits validation and test.
        used: whether the combination has any specialist in it.
    """
    found = {split: lifts(table, split) for split in (VALIDATION, TEST)}
    recommendation, why = recommend(found[VALIDATION], used)
    return WorthRecord(
        splits=found, recommendation=recommendation, why=why, verdict=verdict(found[TEST], used)
    )


def verdict(found: list[Lift], used: bool) -> WorthVerdict:
    """What the specialists do for whom, in words.

    Args:
        found: `lifts` of the test split.
        used: whether the combination has any specialist in it; if not, routing every user to the
            specialist of the own cluster is judged, which nobody is served.
    """
    judged = COMBINER if used else ROUTED
    whole = overall(found, judged, GLOBAL)
    if whole is None or whole.effect == TOO_FEW:
        few = too_few(whole.users if whole else 0, TEST)
        return WorthVerdict(
            judged=judged,
            effect=None,
            helps=[],
            hurts=[],
            beats={},
            sentences=[f"There are {few}."],
        )
    parts = {
        x.cluster: x
        for x in found
        if (x.model, x.against) == (judged, GLOBAL) and x.cluster is not None
    }
    helped = [k for k, x in parts.items() if x.effect == "helps"]
    hurt = [k for k, x in parts.items() if x.effect == "hurts"]
    subject = "Combining the specialists" if used else "Routing every user to a specialist"
    sentences = [f"{subject} {whole.effect}: {_figures(whole)} against the global encoder."]
    for clusters, word in ((helped, "better"), (hurt, "worse")):
        if clusters:
            called = ", ".join(f"cluster {k}" for k in clusters)
            sentences.append(f"On their own, the users of {called} are served {word}.")
    beats = {}
    for control in (RANDOM_COMBINER if used else RANDOM_ROUTED, CONTINUED):
        if rival := overall(found, judged, control):
            beats[control] = rival.effect == "helps"
            word = {"helps": "better than", "hurts": "worse than"}.get(
                rival.effect, "no better than"
            )
            sentences.append(f"It is {word} the {title(control)}: {_figures(rival)}.")
    return WorthVerdict(
        judged=judged,
        effect=whole.effect,
        helps=helped,
        hurts=hurt,
        beats=beats,
        sentences=sentences,
    )


def _figures(found: Lift) -> str:
    return (
        f"{found.relative:+.1%} NDCG@10 "
        f"({found.mean:+.4f}, 95% {found.low:+.4f} to {found.high:+.4f})"
    )
