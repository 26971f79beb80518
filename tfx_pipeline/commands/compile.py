"""`cohortrec compile`: the pipeline for Kubeflow Pipelines."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands
from tfx_pipeline.commands.settings_options import add_settings, load_settings


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "compile",
        help="write the pipeline for Kubeflow Pipelines v2",
        description="Compiles the same pipeline to Kubeflow Pipelines v2 YAML.",
    )
    add_settings(parser)
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="a .yaml file")
    parser.set_defaults(command=_compile)
    return parser


def _compile(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import quiet
    from tfx_pipeline.inputs import make_writable

    config = load_settings(arguments)
    make_writable(arguments.output.parent)
    with quiet(arguments.debug):
        from tfx_pipeline.kubeflow_v2.compiler import compile_pipeline

        tasks = compile_pipeline(config, arguments.output)
    print(f"{arguments.output}: {len(tasks)} tasks, image {config.kubeflow.image}")
    return OK
