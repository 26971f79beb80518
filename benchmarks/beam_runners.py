"""The same ingestion, statistics and Transform on several Beam runners of one machine.

Usage: python benchmarks/beam_runners.py --events FILE [--preset NAME …] [--modes …] [--folder DIR]

Runs these components once a mode, each in a fresh process and folder, checks that all modes leave
the same histories, statistics and Transform output, and prints the seconds of each component and
their ratio to the first mode. The mode `portable` needs Beam's own job server in Python, which the
benchmark starts, with workers in processes of their own: it is the protocol of Flink and Spark.
Exits with 1 if the outputs differ.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfx_pipeline.dag import nodes

sys.path.insert(0, str(Path(__file__).parents[1]))

TIMED = (nodes.INGESTION, nodes.STATISTICS, nodes.TRANSFORM)
PORTABLE = "portable"
MODES: dict[str, list[str]] = {
    "in_memory": [],
    "multi_threading": [
        "beam.direct_running_mode=multi_threading",
        "beam.direct_num_workers=2",
    ],
    "multi_processing": [
        "beam.direct_running_mode=multi_processing",
        "beam.direct_num_workers=2",
    ],
    PORTABLE: ["beam.runner=PortableRunner", "beam.environment_type=EXTERNAL"],
}


def run(folder: str, events: Sequence[str], presets: Sequence[str], settings: Sequence[str]) -> Any:
    """Runs the components; returns the seconds of each."""
    import components  # noqa: F401, I001 (first: it sets TensorFlow up)
    from tfx import v1 as tfx
    from tfx.orchestration.pipeline import RunOptions

    from tfx_pipeline.settings.run_config import load_config
    from tfx_pipeline.paths.locations import Locations
    from tfx_pipeline.local.metadata import RunMetadata
    from tfx_pipeline.dag.pipeline import create_pipeline

    config = load_config(presets, overrides=settings, events=tuple(events))
    database = Path(folder, "metadata.db")
    pipeline = create_pipeline(
        config,
        Locations.below(folder),
        events=events,
        items=[],
        input_fingerprint="",
        nonce="",
        metadata_path=str(database),
    )
    tfx.orchestration.LocalDagRunner().run(pipeline, run_options=RunOptions(to_nodes=TIMED))
    metadata = RunMetadata(database)
    executions = metadata.executions(metadata.run_names()[-1])
    failed = [node for node in TIMED if executions[node].state != "ran"]
    if failed:
        raise SystemExit(f"failed: {failed}")
    return {node: round(executions[node].seconds, 1) for node in TIMED}


def outputs(folder: str) -> dict[str, str]:
    """A hash of each output, of what it says rather than how it is written down."""
    root = Path(folder, "artifacts")
    return {
        "histories": _hash(_records(root / "BehaviorExampleGen/examples")),
        "items": _hash(_rows(root / "BehaviorExampleGen/items")),
        "data quality": _hash(_texts(root / "BehaviorExampleGen/data_quality", "*.json")),
        "statistics": _hash(_statistics(root / "StatisticsGen/statistics")),
        "vocabularies": _hash(_texts(root / "Transform/transform_graph", "*/assets/*")),
        "transformed schema": _hash(_texts(root / "Transform/transform_graph", "*/schema.pbtxt")),
    }


def _hash(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _records(folder: Path) -> Iterator[bytes]:
    """All histories in the order of the files, each with its split."""
    import tensorflow as tf

    for path in sorted(folder.rglob("*.gz")):
        yield path.parent.name.encode()
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            example = tf.train.Example.FromString(record)
            # Protobuf writes the features of a map in any order.
            yield example.SerializeToString(deterministic=True)


def _rows(folder: Path) -> Iterator[bytes]:
    import polars as pl

    for path in sorted(folder.rglob("*.parquet")):
        yield pl.read_parquet(path).write_csv().encode()


def _texts(folder: Path, pattern: str) -> Iterator[bytes]:
    for path in sorted(folder.rglob(pattern)):
        text = path.read_bytes()
        # The only thing in these files that names the folder of the run is the quarantine.
        yield text.replace(str(folder.parents[3]).encode(), b"")


def _statistics(folder: Path) -> Iterator[bytes]:
    """Counts, extremes, means and deviations; quantiles and ranks are approximations, whose last
    digits depend on the order in which partial results are merged.
    """
    import tensorflow_data_validation as tfdv

    for path in sorted(folder.rglob("FeatureStats.pb")):
        yield path.parent.name.encode()
        for data_set in tfdv.load_stats_binary(str(path)).datasets:
            yield str(data_set.num_examples).encode()
            for feature in sorted(data_set.features, key=lambda each: list(each.path.step)):
                numbers, texts = feature.num_stats, feature.string_stats
                common = numbers.common_stats or texts.common_stats
                exact = [list(feature.path.step), feature.type, texts.unique]
                exact += [numbers.num_zeros, numbers.min, numbers.max]
                for name in ("num_non_missing", "num_missing", "min_num_values", "max_num_values"):
                    exact.append(getattr(common, name))
                close = (numbers.mean, numbers.std_dev, texts.avg_length)
                yield json.dumps([exact, [f"{value:.6g}" for value in close]]).encode()


@contextlib.contextmanager
def job_server(folder: Path) -> Iterator[list[str]]:
    """Beam's job server in Python and a pool of worker processes; yields the settings for them."""
    ports = [_free_port(), _free_port()]
    commands = (
        ["apache_beam.runners.portability.local_job_service_main", "--port", str(ports[0])],
        ["apache_beam.runners.worker.worker_pool_main", "--service_port", str(ports[1])],
    )
    # The pool starts workers as `python`.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with (folder / "job_server.log").open("wb") as log, contextlib.ExitStack() as stack:
        for command in commands:
            server = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path, "PYTHONPATH": str(Path(__file__).parents[1])},
            )
            stack.callback(server.wait)
            stack.callback(server.terminate)
        for port in ports:
            _wait_for(port)
        yield [
            f"beam.job_endpoint=localhost:{ports[0]}",
            f"beam.environment_config=localhost:{ports[1]}",
        ]


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait_for(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise SystemExit(f"nothing listens on port {port}; see job_server.log") from None
            time.sleep(0.2)


def main() -> int:
    """Runs the benchmark; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", nargs="+", required=True)
    parser.add_argument("--preset", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(MODES)[:3])
    parser.add_argument("--folder", help="where to put the outputs (default: temporary)")
    arguments = parser.parse_args()
    found: dict[str, dict[str, str]] = {}
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as parent:
        for mode in arguments.modes:
            folder = Path(parent, mode)
            folder.mkdir()
            server = job_server(folder) if mode == PORTABLE else contextlib.nullcontext([])
            with server as more, multiprocessing.get_context("spawn").Pool(1) as pool:
                settings = [*arguments.set, *MODES[mode], *more]
                given = (str(folder), arguments.events, arguments.preset, settings)
                began = time.monotonic()
                seconds = pool.apply(run, given)
                total = time.monotonic() - began
                found[mode] = pool.apply(outputs, (str(folder),))
            first = first or seconds
            ratios = {node: round(seconds[node] / first[node], 2) for node in TIMED}
            print(f"{mode:17} {json.dumps(seconds)}  ratios {json.dumps(ratios)}  {total:.0f} s")
    differing = {
        f"{mode}: {name}"
        for mode, hashes in found.items()
        for name, value in hashes.items()
        if value != found[arguments.modes[0]][name]
    }
    print(f"compared: {', '.join(found[arguments.modes[0]])}")
    print(f"different: {', '.join(sorted(differing))}" if differing else "all modes agree")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
