"""Artifact types that pass between our components; each docstring lists the files inside."""

from tfx.types.artifact import Artifact, Property, PropertyType


class DataQuality(Artifact):
    """What ingestion read, kept and dropped: `data_quality.json` and `quarantine.csv`."""

    TYPE_NAME = "CohortrecDataQuality"


class ItemCatalogue(Artifact):
    """Items known by name: `items.parquet` (item_id, title, category, brand, price)."""

    TYPE_NAME = "CohortrecItemCatalogue"


class ClusterModel(Artifact):
    """A fitted clustering: `centroids.npy` float32 [K, dim] and `clusters.json`."""

    TYPE_NAME = "CohortrecClusterModel"
    PROPERTIES = {"clusters": Property(type=PropertyType.INT)}


class ClusterEvaluation(Artifact):
    """Measures of a clustering: `evaluation.json`, `profiles.json` and `map.parquet`."""

    TYPE_NAME = "CohortrecClusterEvaluation"


class ModelComparison(Artifact):
    """Every model on the same users: `ranks.parquet`, `comparison.json`, `combination.json`."""

    TYPE_NAME = "CohortrecModelComparison"


class Report(Artifact):
    """The page of a run: `index.html` and `metrics.json`."""

    TYPE_NAME = "CohortrecReport"
