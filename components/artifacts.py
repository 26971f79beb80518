"""Artifact types that pass between our components; each docstring lists the files inside.

Kubeflow finds the class of an artifact by its type name, as "top-level module.class": that is
why the names start with "components" and why `components/__init__.py` hands these classes out. It
knows no typed properties of such artifacts; custom properties work everywhere.
"""

from tfx.types.artifact import Artifact


class DataQuality(Artifact):
    """What ingestion read, kept and dropped: `data_quality.json` and `quarantine.csv`."""

    TYPE_NAME = "components.DataQuality"


class ItemCatalogue(Artifact):
    """Items known by name: `items.parquet` (item_id, title, category, brand, price)."""

    TYPE_NAME = "components.ItemCatalogue"


class ClusterModel(Artifact):
    """What assigns a user to a cluster: `clusters.json`, `clusters.npz` and `users.parquet`."""

    TYPE_NAME = "components.ClusterModel"


class ClusterEvaluation(Artifact):
    """Measures of a clustering: `evaluation.json`, `profiles.json` and `map.parquet`."""

    TYPE_NAME = "components.ClusterEvaluation"


class ModelComparison(Artifact):
    """Every model on the same users: `ranks.parquet`, `comparison.json`, `combination.json`."""

    TYPE_NAME = "components.ModelComparison"


class Report(Artifact):
    """The page of a run: `index.html` and `metrics.json`."""

    TYPE_NAME = "components.Report"
