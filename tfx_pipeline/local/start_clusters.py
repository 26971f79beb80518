"""The clusters that a local run goes on from: `clustering.start_from` as a folder.

A resolver node would take the newest clusters that there are. Those may be of the same data: a
repeated run would go on from itself, make other clusters than before, and train all specialists
again. So the runner asks ML Metadata before it builds the pipeline, and hands the folder to the
clusterer as a parameter: same data, settings and folder come from the cache. Besides, open-source
Kubeflow Pipelines cannot run resolvers.
"""

from __future__ import annotations

from pathlib import Path

from components.sequence_clusterer.config import LAST
from components.sequence_clusterer.lasting.last_clusters import USERS_FILE
from tfx_pipeline.local.metadata import RunMetadata
from tfx_pipeline.paths.inputs import METADATA_FILE, InputError, start_path
from trainer.clusters.cluster_geometry import CLUSTERS_FILE


def find_start(setting: str, metadata: RunMetadata, pipeline: str, data: str) -> Path | None:
    """The ClusterModel to go on from.

    Args:
        setting: `clustering.start_from`.
        metadata: of the run directory.
        pipeline: name of the pipeline; "last" means an earlier run of it.
        data: fingerprint of the input files; "last" means a run on others.

    Returns:
        Its folder; None where there is nothing to go on from. Folders that are gone, or that a
        version left which did not say who was in a cluster, are passed over by "last".

    Raises:
        InputError: if the setting names a folder without clusters to go on from.
    """
    if setting == LAST:
        return _usable(metadata.clusters_before(pipeline, data))
    named = start_path(setting)
    if named is None:
        return None
    is_run = (named / METADATA_FILE).is_file()
    here = RunMetadata(named / METADATA_FILE).clusters_before() if is_run else [str(named)]
    found = _usable(here)
    if found is None:
        raise InputError(
            f"clustering.start_from: {setting!r} has no clusters that say who is in them "
            f"({CLUSTERS_FILE} and {USERS_FILE}); give a run that got as far as its clusters"
        )
    return found


def start_files(folder: Path | None) -> list[str]:
    """The files that are read from there; the cache follows their content."""
    return [] if folder is None else [str(folder / name) for name in (CLUSTERS_FILE, USERS_FILE)]


def _usable(folders: list[str]) -> Path | None:
    """The first folder that has all of the files."""
    for folder in map(Path, folders):
        if all(Path(file).is_file() for file in start_files(folder)):
            return folder
    return None
