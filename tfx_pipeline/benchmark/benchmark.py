"""`cohortrec benchmark --sequences`: the real pipeline under the protocol of the research papers.

Leave-one-out: each user's last item is for the test, the one before for validation. All items are
ranked, those that the user had are left out. Every choice (epochs, clusters, strengths) is made on
validation; the test split is scored once, at the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tfx_pipeline.benchmark.protocol import check_protocol
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.settings.run_config import RunConfig, load_config
from tfx_pipeline.terminal.console import Console

PRESET = "benchmark"
RESULTS = "benchmark.json"


def compose(
    sequences: str, items: str | None, seed: int | None, overrides: Sequence[str]
) -> RunConfig:
    """The settings of a benchmark.

    Args:
        sequences: file of lines `user item1 item2 …`.
        items: items file, or None.
        seed: of everything random; the default one when None.
        overrides: `section.key=value` each.

    Raises:
        ConfigError: a setting is unknown or does not fit, or leaves the protocol.
    """
    given: dict[str, Any] = {"events": (sequences,), "items": (items,) if items else ()}
    if seed is not None:
        given["seed"] = seed
    config = load_config([PRESET], None, overrides, **given)
    check_protocol(config, load_config([PRESET]))
    return config


def data_set_name(sequences: str, name: str | None) -> str:
    """What the data set is called: as the user says, else the last two parts of the path."""
    return name or "/".join(Path(sequences).resolve().parts[-2:]).lstrip("/")


def run_benchmark(
    config: RunConfig, data_set: str, directory: RunDirectory, console: Console
) -> dict[str, Any]:
    """Runs the pipeline, shows the figures and writes them to `benchmark.json`.

    Args:
        config: from `compose`.
        data_set: its name; decides which published results are shown.
        directory: the run directory.
        console: where to print.

    Returns:
        The content of `benchmark.json`.

    Raises:
        InputError: an input cannot be read, or another run uses the directory.
        ComponentFailure: a component failed.
    """
    from tfx_pipeline.benchmark import tables as tables
    from tfx_pipeline.benchmark.figures import run_figures
    from tfx_pipeline.benchmark.published import published_rows
    from tfx_pipeline.local.local_runner import run
    from tfx_pipeline.local.resources import MemorySampler, stage_usage

    began = time.monotonic()
    with MemorySampler() as memory:
        outcome = run(config, directory, console)
    seconds = time.monotonic() - began
    stages = stage_usage(outcome.nodes.values(), memory)
    figures = run_figures(outcome)
    published = published_rows(data_set)

    _show_data(data_set, config.run.seed, figures["data"], console)
    for split, part in figures["splits"].items():
        tables.show_split(split, part, console)
    console.line("± and [ ]: 95 % intervals over users; the difference is paired by user")
    console.line(f"Combiner: {figures['combination']['reason']}")
    tables.show_published(figures["splits"]["test"], published, data_set, console)
    tables.show_stages(stages, seconds, memory.peak(), console)
    tables.show_gates(figures["baseline"], figures["gates"], console)
    results = directory.root / RESULTS
    console.line()
    console.line(f"Model    {outcome.served}")
    console.line(f"Report   {directory.report}")
    console.line(f"Figures  {results}")

    record = _read(directory.record)
    content = {
        "data_set": data_set,
        "seed": config.run.seed,
        **figures,
        "published": {row.model: row.metrics() for row in published},
        "stages": _with_earlier_cost([asdict(stage) for stage in stages], results),
        "seconds": round(seconds, 3),
        "peak_bytes": memory.peak(),
        "served": str(outcome.served),
        "files": record["data"],
        "versions": record["versions"],
        "config": record["config"],
    }
    results.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return content


def _show_data(data_set: str, seed: int, data: Mapping[str, Any], console: Console) -> None:
    console.heading(f"Benchmark on {data_set}, seed {seed}")
    console.line(
        f"{data['users']:,} users, {data['items']:,} items, {data['interactions']:,} interactions"
    )
    if short := data["users_too_short"]:
        console.line(f"Users of fewer than three items, trained on but not evaluated: {short:,}")


def _with_earlier_cost(stages: list[dict[str, Any]], results: Path) -> list[dict[str, Any]]:
    """Adds to each cached stage what it cost when it ran, as the file of the earlier run says."""
    earlier = {}
    if results.is_file():
        earlier = {stage["node"]: stage for stage in _read(results).get("stages", ())}
    for stage in stages:
        before = earlier.get(stage["node"])
        if stage["state"] == "cached" and before is not None:
            stage["when_it_ran"] = before.get("when_it_ran") or {
                name: before[name] for name in ("seconds", "peak_bytes")
            }
    return stages


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
