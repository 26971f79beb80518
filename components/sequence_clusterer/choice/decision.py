"""The rule that chooses among candidates, and the sentence that says why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.sequence_clusterer.choice.candidates import Candidate
from components.sequence_clusterer.config import ClusteringConfig

LEVEL = 0.05
"""Chance of finding clusters in a continuum that is accepted, over all candidates together."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """The chosen candidate and why.

    Attributes:
        candidate: the chosen one; its K may be 1.
        k_from: "separation" (there are clusters), "silhouette" (the best cut), "config", or
            "last_run" (they go on from the last run's).
        clusters_found: whether valleys of low density part the users into at least two groups;
            None where that could not be tested.
        reason: for the reader of the report.
    """

    candidate: Candidate
    k_from: str
    clusters_found: bool | None
    reason: str


def level_of_each(candidates: Sequence[Candidate]) -> float:
    """The level of significance of one candidate's test, `LEVEL` shared among all (Bonferroni)."""
    return LEVEL / max(sum(candidate.k > 1 for candidate in candidates), 1)


def decide(
    candidates: Sequence[Candidate], config: ClusteringConfig, users: int, why_one: str
) -> Decision:
    """Chooses K and algorithm.

    With `choose: auto`, of all candidates (with K at least `k_min`) the one whose clusters form
    the most groups separated by valleys; of equals that with the fewest clusters, then the highest
    silhouette. Candidates without clusters below `min_cluster_users` go first. If no candidate has
    two groups there are no clusters, and `without_clusters` decides: "best" takes the cut with the
    highest silhouette, "one" K=1. With `choose: silhouette` the highest silhouette decides at once.
    With `k` set, the candidates of that K only are compared, by silhouette.

    Args:
        candidates: at least one, K=1 of some algorithm among them.
        config: the settings named above.
        users: how many points were clustered, for the messages.
        why_one: why nothing but K=1 is there, used when that is so.
    """
    level = level_of_each(candidates)
    tested = [c for c in candidates if c.k > 1 and c.separation is not None]
    found = any(_groups(c, level) > 1 for c in tested) if tested else None
    if config.k is not None:
        return _configured(candidates, config.k, level)
    measured = [c for c in candidates if c.k > 1 and c.silhouette.mean is not None]
    if not measured:
        one = next(c for c in candidates if c.k == 1)
        return Decision(one, "silhouette", found, why_one)
    admissible, notes = _within_limits(measured, config, users)
    if config.choose == "silhouette":
        best, reason = _highest_silhouette(admissible, config)
        return Decision(best, "silhouette", found, " ".join([reason, *notes]))
    grouped = [c for c in admissible if _groups(c, level) > 1]
    if grouped:
        best, reason = _most_groups(grouped, config, level)
        return Decision(best, "separation", True, " ".join([reason, *notes]))
    verdict = _no_clusters(admissible, bool(tested))
    if config.without_clusters == "one":
        one = next(c for c in candidates if c.k == 1)
        reason = f"{verdict} K=1, as clustering.without_clusters asks for."
        return Decision(one, "separation", False if tested else None, reason)
    best, reason = _highest_silhouette(admissible, config)
    return Decision(
        best,
        "silhouette",
        False if tested else None,
        " ".join([verdict, "The users are cut into parts all the same:", reason, *notes]),
    )


def continued(candidate: Candidate, last_k: int, level: float) -> Decision:
    """Clusters that go on from the last run's `last_k`; `level` is of one candidate's test."""
    reason = f"K={candidate.k}, continued from the last run's K={last_k}."
    if candidate.separation is None:
        return Decision(candidate, "last_run", None, reason)
    groups = _groups(candidate, level)
    return Decision(
        candidate, "last_run", groups > 1, f"{reason} {_groups_in_words(candidate, groups)}"
    )


def _groups(candidate: Candidate, level: float) -> int:
    """How many groups the candidate's clusters form; 1 where that could not be tested."""
    return candidate.separation.groups(level) if candidate.separation else 1


def _configured(candidates: Sequence[Candidate], k: int, level: float) -> Decision:
    """The candidate of the K that is set, or of the largest that there is."""
    largest = min(k, max(candidate.k for candidate in candidates))
    best = max((c for c in candidates if c.k == largest), key=_by_silhouette)
    groups = _groups(best, level)
    reason = f"K={k} is set in the configuration (clustering.k)."
    if best.separation is None:
        return Decision(best, "config", None, reason)
    return Decision(best, "config", groups > 1, f"{reason} {_groups_in_words(best, groups)}")


def _within_limits(
    measured: list[Candidate], config: ClusteringConfig, users: int
) -> tuple[list[Candidate], list[str]]:
    """Candidates with K of at least `k_min`, or those of the largest K if there are none."""
    admissible = [c for c in measured if c.k >= config.k_min]
    if admissible:
        return admissible, []
    largest = max(c.k for c in measured)
    note = f"k_min={config.k_min} is out of reach with {users} users."
    return [c for c in measured if c.k == largest], [note]


def _most_groups(
    grouped: list[Candidate], config: ClusteringConfig, level: float
) -> tuple[Candidate, str]:
    """The candidate with the most groups, those without tiny clusters first."""
    large = [c for c in grouped if c.smallest >= config.min_cluster_users]
    best = max(large or grouped, key=lambda c: (_groups(c, level), -c.k, _by_silhouette(c)[0]))
    reason = f"K={best.k} ({best.algorithm}). {_groups_in_words(best, _groups(best, level))}"
    if not large:
        reason += (
            f" No such K gives every cluster min_cluster_users={config.min_cluster_users} users; "
            f"the smallest cluster here has {best.smallest}."
        )
    return best, reason


def _groups_in_words(candidate: Candidate, groups: int) -> str:
    """What the valleys between a candidate's clusters say."""
    if groups == candidate.k:
        return (
            f"Clusters found: between every two of the {groups} clusters there is a valley of low "
            "density."
        )
    if groups > 1:
        return (
            f"Clusters found: valleys of low density part the users into {groups} groups, of which "
            f"the {candidate.k} clusters are parts."
        )
    return (
        f"No clusters found at K={candidate.k}: its parts run into one another without a valley "
        "of low density."
    )


def _no_clusters(candidates: Sequence[Candidate], tested: bool) -> str:
    """Why there are no clusters to speak of."""
    if not tested:
        return "Whether there are clusters could not be tested: there are too few distinct users."
    low, high = min(c.k for c in candidates), max(c.k for c in candidates)
    span = f"K={low}" if low == high else f"K={low} to {high}"
    return (
        f"No clusters found: with no {span} do valleys of low density part the users into groups, "
        "so they are one continuum as far as can be told."
    )


def _highest_silhouette(
    candidates: Sequence[Candidate], config: ClusteringConfig
) -> tuple[Candidate, str]:
    """The candidate of the highest silhouette among those whose clusters are large enough."""
    highest = max(candidates, key=_by_silhouette)
    large = [c for c in candidates if c.smallest >= config.min_cluster_users]
    best = max(large, key=_by_silhouette) if large else highest
    low, high = best.silhouette.interval or (0.0, 0.0)
    ks = [c.k for c in candidates]
    notes = [
        f"K={best.k} has the highest silhouette, {best.silhouette.mean:.3f} (95 % interval "
        f"{low:.3f} to {high:.3f}), of K={min(ks)} to {max(ks)}"
        + (f" with at least {config.min_cluster_users} users in every cluster." if large else ".")
    ]
    if not large:
        notes.append(
            f"No K gives every cluster min_cluster_users={config.min_cluster_users} users; the "
            f"smallest cluster here has {best.smallest}."
        )
    elif highest.k != best.k:
        notes.append(
            f"K={highest.k} reaches {highest.silhouette.mean:.3f}, but its smallest cluster has "
            f"only {highest.smallest} user(s)."
        )
    return best, " ".join(notes)


def _by_silhouette(candidate: Candidate) -> tuple[float, int]:
    """Sorts by silhouette; of equals, fewer clusters are better."""
    mean = candidate.silhouette.mean
    return (mean if mean is not None else -2.0, -candidate.k)
