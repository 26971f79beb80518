#!/usr/bin/env python
"""Hands a compiled pipeline to Kubeflow Pipelines: upload it, run it once, or run it on schedule.

    python kubeflow/submit.py upload pipeline.yaml --host URL
    python kubeflow/submit.py run pipeline.yaml --host URL -p events=gs://bucket/log.csv --wait
    python kubeflow/submit.py schedule pipeline.yaml --host URL --cron '0 0 3 * * *'

Every call uploads the file as a new version of the pipeline first (the pipeline itself on the first
call), unless a version of that name is there: the default name is a hash of the file. Without
--host it uses the cluster that it runs in, or the current context of kubectl; a token is read from
the environment variable KFP_TOKEN.

Exit codes: 0 done (with --wait: the run succeeded); 1 the run failed; 2 the arguments or the file
are wrong; 3 Kubeflow Pipelines cannot be reached or refuses; 4 the run was not over in time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3
import yaml

OK, RUN_FAILED, BAD_ARGUMENTS, UNREACHABLE, TIMED_OUT = 0, 1, 2, 3, 4
FINISHED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED", "ERROR"}
CRON_FIELDS = 6


class Mistake(ValueError):
    """The arguments or the file are wrong; the message says what to do."""


class Pipeline:
    """A compiled pipeline's file: its name, and what its runs may be told.

    Attributes:
        path: the file.
        name: of the pipeline.
        version: a hash of the file, unless another name is given.
    """

    def __init__(self, path: Path, name: str | None, version: str | None) -> None:
        try:
            content = path.read_bytes()
            documents = [d for d in yaml.safe_load_all(content) if isinstance(d, dict)]
            spec = next(d for d in documents if "pipelineInfo" in d)
        except OSError as error:
            raise Mistake(f"cannot read {str(path)!r}: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError, StopIteration):
            raise Mistake(
                f"{str(path)!r} is no compiled pipeline; cohortrec compile writes one"
            ) from None
        self.path = path
        self.name = name or spec["pipelineInfo"]["name"]
        self.version = version or f"{self.name}-{hashlib.sha256(content).hexdigest()[:12]}"
        self._declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})

    def arguments(self, given: Sequence[str]) -> dict[str, Any]:
        """Values of run parameters, each of the type that the pipeline declares.

        Args:
            given: `name=value` each.

        Raises:
            Mistake: naming the unknown parameter, or the value that does not fit.
        """
        return dict(self._argument(text) for text in given)

    def _argument(self, text: str) -> tuple[str, Any]:
        name, equals, value = text.partition("=")
        if not equals:
            raise Mistake(f"-p {text!r}: write it as name=value")
        if name not in self._declared:
            known = ", ".join(sorted(self._declared)) or "none"
            raise Mistake(f"the pipeline has no run parameter {name!r}; it has: {known}")
        kind = self._declared[name].get("parameterType")
        readers = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": _boolean}
        try:
            return name, readers.get(kind, str)(value)
        except ValueError:
            raise Mistake(f"-p {text!r}: must be {kind}") from None


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def upload(client: kfp.Client, pipeline: Pipeline) -> tuple[str, str]:
    """Makes sure that the file is a version of the pipeline.

    Returns:
        The ids of the pipeline and of the version.
    """
    pipeline_id = client.get_pipeline_id(pipeline.name)
    if pipeline_id is None:
        pipeline_id = client.upload_pipeline(str(pipeline.path), pipeline.name).pipeline_id
    else:
        found = client.list_pipeline_versions(
            pipeline_id, filter=_display_name(pipeline.version)
        ).pipeline_versions
        if found:
            return pipeline_id, found[0].pipeline_version_id
    # The first upload makes a version of the pipeline's own name; this one says what it holds.
    version = client.upload_pipeline_version(
        str(pipeline.path), pipeline.version, pipeline_id=pipeline_id
    )
    return pipeline_id, version.pipeline_version_id


def run(client: kfp.Client, pipeline: Pipeline, options: argparse.Namespace) -> int:
    """Starts a run, and waits for it if asked to."""
    arguments = pipeline.arguments(options.parameters)
    pipeline_id, version_id = upload(client, pipeline)
    experiment = client.create_experiment(options.experiment, namespace=options.namespace)
    name = options.name or f"{pipeline.name} {time.strftime('%Y-%m-%d %H:%M:%S')}"
    started = client.run_pipeline(
        experiment.experiment_id,
        name,
        params=arguments,
        pipeline_id=pipeline_id,
        version_id=version_id,
        pipeline_root=options.pipeline_root,
        service_account=options.service_account,
    )
    print(f"run {started.run_id}: {name}")
    if not options.wait:
        return OK
    return _wait(client, started.run_id, options.timeout, options.poll)


def _wait(client: kfp.Client, run_id: str, timeout: float, poll: float) -> int:
    """Waits until a run is over. (The client's own method never notices a canceled run.)"""
    give_up = time.monotonic() + timeout
    while time.monotonic() < give_up:
        state = client.get_run(run_id).state
        if state in FINISHED:
            print(f"run {run_id}: {state}")
            return OK if state == "SUCCEEDED" else RUN_FAILED
        time.sleep(poll)
    print(f"run {run_id}: not over after {timeout:.0f} s; it goes on", file=sys.stderr)
    return TIMED_OUT


def schedule(client: kfp.Client, pipeline: Pipeline, options: argparse.Namespace) -> int:
    """Puts a recurring run in the place of those of the same name."""
    if len(options.cron.split()) != CRON_FIELDS:
        raise Mistake(
            f"--cron {options.cron!r}: give 6 fields, the first for seconds: '0 0 3 * * *' is "
            "every night at three (UTC)"
        )
    arguments = pipeline.arguments(options.parameters)
    pipeline_id, version_id = upload(client, pipeline)
    experiment = client.create_experiment(options.experiment, namespace=options.namespace)
    name = options.name or pipeline.name
    before = client.list_recurring_runs(
        experiment_id=experiment.experiment_id, page_size=100, filter=_display_name(name)
    ).recurring_runs
    made = client.create_recurring_run(
        experiment.experiment_id,
        name,
        cron_expression=options.cron,
        # A run may still be training when the next one is due, and a pause is no reason to catch
        # up: only the newest log matters.
        max_concurrency=1,
        no_catchup=True,
        params=arguments,
        pipeline_id=pipeline_id,
        version_id=version_id,
        pipeline_root=options.pipeline_root,
        service_account=options.service_account,
    )
    for old in before or []:
        client.delete_recurring_run(old.recurring_run_id)
    replaced = f", in place of {len(before)}" if before else ""
    print(f"recurring run {made.recurring_run_id}: {name}, cron {options.cron}{replaced}")
    return OK


def _display_name(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("upload", "make the file a version of the pipeline"),
        ("run", "upload, and start a run"),
        ("schedule", "upload, and make a recurring run, in place of one of the same name"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("file", type=Path, help="written by cohortrec compile")
        command.add_argument("--host", help="URL of the API, such as http://localhost:8888")
        command.add_argument("--namespace", help="of the user, in a multi-user installation")
        command.add_argument("--pipeline", help="name of the pipeline (default: as compiled)")
        command.add_argument("--version", help="name of the version (default: hash of the file)")
        if name == "upload":
            continue
        command.add_argument("--experiment", default="cohortrec")
        command.add_argument("--name", help="of the run or recurring run")
        command.add_argument(
            "-p",
            "--parameter",
            dest="parameters",
            metavar="name=value",
            action="append",
            default=[],
            help="a run parameter; may be given several times",
        )
        command.add_argument("--pipeline-root", help="where this run's artifacts go")
        command.add_argument("--service-account", help="that the tasks run as")
        if name == "run":
            command.add_argument("--wait", action="store_true", help="until the run is over")
            command.add_argument("--timeout", type=float, default=86_400, help="seconds (a day)")
            command.add_argument("--poll", type=float, default=15, help="seconds between looks")
        else:
            command.add_argument("--cron", required=True, help="six fields, UTC")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; see the description at the top."""
    options = _parser().parse_args(argv)
    # "This client only works with version 2": so does this script.
    warnings.filterwarnings("ignore", category=FutureWarning, module="kfp")
    try:
        pipeline = Pipeline(options.file, options.pipeline, options.version)
        # (The client's own namespace is that of Kubeflow Pipelines, not the user's.)
        client = kfp.Client(host=options.host, existing_token=os.environ.get("KFP_TOKEN"))
        if options.command == "run":
            return run(client, pipeline, options)
        if options.command == "schedule":
            return schedule(client, pipeline, options)
        _, version_id = upload(client, pipeline)
        print(f"pipeline {pipeline.name}, version {pipeline.version} ({version_id})")
        return OK
    except Mistake as error:
        print(f"submit: {error}", file=sys.stderr)
        return BAD_ARGUMENTS
    except kfp_server_api.ApiException as error:
        reason = f"{error.status} {error.reason}: {error.body or ''}".strip()
        print(f"submit: Kubeflow Pipelines refuses: {reason}", file=sys.stderr)
        return UNREACHABLE
    except (urllib3.exceptions.HTTPError, TimeoutError, OSError) as error:
        where = options.host or "the cluster"
        print(f"submit: cannot reach Kubeflow Pipelines at {where}: {error}", file=sys.stderr)
        return UNREACHABLE


if __name__ == "__main__":
    sys.exit(main())
