"""ClusterCombiner: one SavedModel out of the global encoder and its specialists."""

from components.cluster_combiner.component import ClusterCombiner

__all__ = ["ClusterCombiner"]
