"""`cohortrec compile`: the pipeline for Kubeflow Pipelines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tfx_pipeline.commands.exit_codes import BAD_INPUT, OK
from tfx_pipeline.commands.parsing import Commands
from tfx_pipeline.commands.settings_options import add_settings, load_settings

COMPILED = Path()
"""Stands for what is compiled now, where `--check` names no file."""


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "compile",
        help="write the pipeline for Kubeflow Pipelines v2",
        description="Compiles the same pipeline to Kubeflow Pipelines v2 YAML, and checks it.",
    )
    add_settings(parser)
    parser.add_argument("--output", metavar="FILE", type=Path, help="a .yaml file")
    parser.add_argument(
        "--check",
        metavar="FILE",
        type=Path,
        nargs="?",
        const=COMPILED,
        help="say what a cluster would refuse or fail on; with FILE, check that pipeline instead",
    )
    parser.set_defaults(command=_compile)
    return parser


def _compile(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.paths.inputs import InputError

    if arguments.check not in (None, COMPILED):
        return _check_file(arguments.check, arguments.debug)
    if arguments.output is None and arguments.check is None:
        raise InputError("say where to write the pipeline, with --output pipeline.yaml, or --check")
    return _compile_settings(arguments)


def _compile_settings(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.commands.kubernetes_client import import_client
    from tfx_pipeline.paths.inputs import make_writable
    from tfx_pipeline.terminal.console import quiet

    config = load_settings(arguments)
    if arguments.output is not None:
        make_writable(arguments.output.parent)
    with quiet(arguments.debug):
        import_client()
        from tfx_pipeline.kubeflow.check.report import faults, warnings
        from tfx_pipeline.kubeflow.compiler import build, compile_pipeline

        if arguments.output is not None:
            tasks = compile_pipeline(config, arguments.output)
        found = faults(build(config)) if arguments.check is not None else []
    if arguments.output is not None:
        print(f"{arguments.output}: {len(tasks)} tasks, image {config.kubeflow.image}")
    for warning in warnings(config.kubeflow):
        print(f"warning: {warning}", file=sys.stderr)
    return _told(found) if arguments.check is not None else OK


def _check_file(path: Path, debug: bool) -> int:
    from tfx_pipeline.commands.kubernetes_client import import_client
    from tfx_pipeline.terminal.console import quiet

    with quiet(debug):
        import_client()
        from tfx_pipeline.kubeflow.check.report import faults
        from tfx_pipeline.kubeflow.pipeline_file import PipelineFile

        found = faults(PipelineFile.read(path))
    return _told(found)


def _told(found: Sequence[str]) -> int:
    for fault in found:
        print(f"cohortrec: {fault}", file=sys.stderr)
    if found:
        return BAD_INPUT
    print("checked: every producer, type, parameter, executor, resource and image name is fine")
    return OK
