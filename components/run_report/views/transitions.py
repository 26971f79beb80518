"""What became of clusters from one moment to the next, in words (the transitions of MONIC)."""

from __future__ import annotations

from collections.abc import Sequence

from components.run_report import formats as fmt
from components.run_report.cluster_names import ClusterNames
from components.sequence_clusterer.evaluation_record import ClusterTransitions

_LARGEST = 3


def largest_moves(found: ClusterTransitions) -> str:
    """Between which clusters most users moved, by number; "" where nobody did."""
    last = len(found.flows) - 1
    moves = sorted(
        ((n, i, j) for i, row in enumerate(found.flows) for j, n in enumerate(row) if n and i != j),
        key=lambda move: (-move[0], move[1:]),
    )[:_LARGEST]

    def called(index: int) -> str:
        return f"cluster {index}" if index < last else "no cluster"

    return "; ".join(f"from {called(i)} to {called(j)} ({n:,} users)" for n, i, j in moves)


def users_moved(found: ClusterTransitions, names: ClusterNames) -> list[str]:
    """Both sides are the clusters of this run, so the users move."""
    said = []
    for old, new in found.survived.items():
        what = "stayed" if old == new else f"are in {names.called(new)} now"
        said.append(f"{_of(old, names)}: most users {what} ({_share(found, old, new)}).")
    for new, olds in found.merged.items():
        parts = [f"{names.called(old)} ({_share(found, old, new)})" for old in olds if old != new]
        own = f"kept most of its users ({_share(found, new, new)}) and " if new in olds else ""
        said.append(f"{_of(new, names)} {own}took in most users of {_and(parts)}.")
    for old, news in found.split.items():
        parts = [f"{names.called(new)} ({_share(found, old, new)})" for new in news]
        said.append(f"{_of(old, names)} went apart, to {_and(parts)}.")
    said += [f"{_of(old, names)}: its users are scattered." for old in found.vanished]
    said += [
        f"{_of(new, names)} has users of several clusters and the majority of none."
        for new in found.appeared
    ]
    return said


def clusters_moved(found: ClusterTransitions, names: ClusterNames) -> list[str]:
    """The earlier clusters were made anew and have numbers of their own: the clusters move."""
    said = [
        f"{earlier(old)} lives on as {names.called(new)} ({_share(found, old, new)} of its users)."
        for old, new in found.survived.items()
    ]
    for new, olds in found.merged.items():
        listed = _and([str(old) for old in olds])
        said.append(f"Earlier clusters {listed} merged into {names.called(new)}.")
    for old, news in found.split.items():
        said.append(f"{earlier(old)} split into {_and([names.called(new) for new in news])}.")
    said += [f"{earlier(old)} vanished: its users are scattered." for old in found.vanished]
    said += [f"{_of(new, names)} appeared." for new in found.appeared]
    return said


def earlier(cluster: int) -> str:
    """What a cluster that was made from the earlier moment is called."""
    return f"Earlier cluster {cluster}"


def _of(cluster: int, names: ClusterNames) -> str:
    """At the beginning of a sentence."""
    text = names.called(cluster)
    return text[:1].upper() + text[1:]


def _share(found: ClusterTransitions, old: int, new: int) -> str:
    """Part of the users of an old cluster who are in a new one."""
    row = found.flows[old]
    return fmt.percent(row[new] / max(sum(row), 1), 0)


def _and(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a, b and c"."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last
