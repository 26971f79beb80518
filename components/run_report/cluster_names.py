"""What the clusters are called on the page: number and name, cut where room is short."""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.run_report import formats as fmt
from components.sequence_clusterer.profiles_record import ClusterProfile

_IN_TEXT = 60
_CLUSTER = re.compile(r"\bcluster (-?\d+)\b")


class ClusterNames:
    """The names of a run's clusters; a cluster without one goes by its number."""

    def __init__(self, profiles: Iterable[ClusterProfile] = ()) -> None:
        """Args: profiles: of `profiles.json`."""
        self._names = {
            profile.cluster: profile.name
            for profile in profiles
            # "cluster 2 (no distinguishing traits)" says no more than the number.
            if profile.name and not profile.name.startswith(f"cluster {profile.cluster} (")
        }

    def name(self, cluster: int) -> str:
        """The name alone; "" where there is none."""
        return self._names.get(cluster, "")

    def label(self, cluster: int, longest: int) -> str:
        """For a chart: "3 · evening shoppers…", "Cluster 3" or "No cluster".

        Args:
            cluster: its number, -1 for users of no cluster.
            longest: in characters.
        """
        name = self.name(cluster)
        return shortened(f"{cluster} · {name}", longest) if name else fmt.cluster_name(cluster)

    def called(self, cluster: int) -> str:
        """For a sentence: "cluster 3 (evening shoppers)", long names cut."""
        if cluster < 0:
            return "no cluster"
        name = shortened(self.name(cluster), _IN_TEXT)
        return f"cluster {cluster} ({name})" if name else f"cluster {cluster}"

    def in_text(self, text: str) -> str:
        """A sentence of another component with a name behind each "cluster 3"."""
        return _CLUSTER.sub(lambda match: self.called(int(match[1])), text)


def shortened(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is longer than so many characters."""
    return text if len(text) <= longest else f"{text[: max(longest - 1, 1)].rstrip()}…"
