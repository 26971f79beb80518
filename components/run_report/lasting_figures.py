"""What the report reads about clusters that go on from run to run."""

from __future__ import annotations

from components.run_report.figure_base import Figures, Measure


class LastRun(Figures):
    """The clusters that this run's went on from, or tried to."""

    ids: list[int] = []
    names: list[str] = []
    users: int = 0


class ClusterChange(Figures):
    """What happened to one cluster; `others` are lasting numbers."""

    kind: str
    lasting_id: int
    cluster: int | None = None
    others: list[int] = []
    users: int = 0
    before: int = 0
    stayed: int = 0


class ChosenAnew(Figures):
    """What would have been chosen without the last run."""

    k: int
    algorithm: str = "unknown"
    ari: Measure = None


class LastingClusters(Figures):
    """`lasting` in `evaluation.json` of SequenceClusterer; `last` is None on a first run."""

    ids: list[int] = []
    how: str = "first"
    reason: str = ""
    last: LastRun | None = None
    common_users: int = 0
    changes: list[ClusterChange] = []
    flows: list[list[int]] | None = None
    new_users: list[int] | None = None
    anew: ChosenAnew | None = None
