"""Compiles the pipeline for Kubeflow Pipelines v2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.sequence_clusterer.config import LAST, NOTHING
from tfx_pipeline import fingerprints
from tfx_pipeline.config import RunConfig
from tfx_pipeline.inputs import InputError, is_remote, resolve_files
from tfx_pipeline.pipeline import Locations, create_pipeline

NEVER_CACHED = "BaselineModel"
INGESTION = "BehaviorExampleGen"
CLUSTERER = "SequenceClusterer"
START_PARAMETER = "start_from"
"""Parameter of a compiled pipeline's runs: URI of the `clusters` to go on from; empty for none."""


def compile_pipeline(config: RunConfig, output: Path) -> list[str]:
    """Writes the pipeline as Kubeflow Pipelines v2 YAML.

    Args:
        config: all settings; `kubeflow` says where the cluster keeps image and data.
        output: the YAML file; its folder is made when missing.

    Returns:
        The names of the tasks in the file.

    Raises:
        InputError: if no events are given, a local file is missing, or the file name is no YAML.
    """
    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output {str(output)!r}: the name must end in .yaml")
    if not config.run.events:
        raise InputError("no event files given; name them with --events, as the cluster sees them")
    events, items = list(config.run.events), list(config.run.items)
    known = _fingerprint(events + items)
    labels = config.clustering.labels or ""
    known_labels = _fingerprint([labels]) if labels else ""
    start_from = config.clustering.start_from
    pipeline = create_pipeline(
        config,
        Locations.below(config.kubeflow.root),
        events=events,
        items=items,
        input_fingerprint=known or "unknown",
        nonce="kubeflow",
        labels=labels,
        labels_fingerprint="unknown" if known_labels is None else known_labels,
        start_from="" if start_from in (LAST, NOTHING) else start_from,
    )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image=config.kubeflow.image),
        output_dir=str(output.parent.resolve()),
        output_filename=output.name,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    runner.run(pipeline)
    # What is served may change between runs, and so may files that could not be read here.
    uncached = {NEVER_CACHED} if known else {NEVER_CACHED, INGESTION}
    if known_labels is None:
        uncached.add(CLUSTERER)
    return _rewrite(output, uncached, asks_for_start=start_from == LAST)


def _fingerprint(patterns: list[str]) -> str | None:
    """Hash of the input files; None when they are only within the cluster's reach."""
    if any(is_remote(pattern) for pattern in patterns):
        return None
    try:
        files = resolve_files(patterns, "input")
    except InputError:
        return None
    return fingerprints.input_fingerprint(fingerprints.file_fingerprints(files))


def _rewrite(path: Path, uncached: set[str], asks_for_start: bool) -> list[str]:
    """Changes what TFX cannot write itself.

    Args:
        path: the compiled pipeline.
        uncached: tasks without a cache, which TFX can only turn off for whole pipelines.
        asks_for_start: which run was the last one is not known here, so whoever starts a run says
            it. TFX's own runtime parameters are of a form that the open-source backend lacks.

    Returns:
        The names of the tasks.
    """
    text = path.read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    spec: dict[str, Any] = yaml.safe_load(text)
    for name, task in spec["root"]["dag"]["tasks"].items():
        if name in uncached:
            task["cachingOptions"] = {}
    if asks_for_start:
        declared = {"parameterType": "STRING", "defaultValue": "", "isOptional": True}
        inputs = spec["root"].setdefault("inputDefinitions", {}).setdefault("parameters", {})
        inputs[START_PARAMETER] = declared
        task = spec["root"]["dag"]["tasks"][CLUSTERER]
        task["inputs"]["parameters"]["start_from"] = {"componentInputParameter": START_PARAMETER}
    body = yaml.safe_dump(spec, sort_keys=True)
    path.write_text("\n".join(comments) + "\n" + body, encoding="utf-8")
    return sorted(spec["root"]["dag"]["tasks"])
