"""The command `cohortrec`.

TensorFlow and TFX take many seconds to import, so that each command imports what it needs when
it runs; `--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfx_pipeline.simulation_options import add_options, given

if TYPE_CHECKING:
    from tfx_pipeline.config import RunConfig

OK, REFUSED, BAD_INPUT, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """exit codes: 0 done; 1 the model failed a gate and was not pushed;
2 something about the input or the settings; 3 a component failed"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments without the program's name; those of the process when None.

    Returns:
        The exit code, see `EXIT_CODES`.
    """
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        from tfx_pipeline.errors import ComponentFailure, one_line, user_message

        if arguments.debug:
            traceback.print_exc()
        message = user_message(error)
        if message is not None:
            print(f"cohortrec: {message}", file=sys.stderr)
            return BAD_INPUT
        cause = str(error) if isinstance(error, ComponentFailure) else one_line(error)
        print(f"cohortrec: {cause}", file=sys.stderr)
        if getattr(arguments, "log", None):
            print(f"The full log is in {arguments.log}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cohortrec",
        description="From a shop's event log to a served next-item recommender.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (
        _add_run,
        _add_recommend,
        _add_report,
        _add_compile,
        _add_benchmark,
        _add_simulate,
    ):
        command = add(commands)
        command.add_argument(
            "--debug", action="store_true", help="show all logs and the traceback of a failure"
        )
    return parser


def _add_run(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "run",
        help="run the whole pipeline",
        description="Trains, evaluates and, if it passes the gates, pushes a recommender. "
        "Run again in the same directory, it redoes only what changed.",
    )
    _add_settings(parser)
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="run directory")
    parser.set_defaults(command=_run)
    return parser


def _add_recommend(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "recommend",
        help="recommend after a history of items",
        description="Asks an exported model what comes after a history.",
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        required=True,
        help="run directory, its serving/ folder, or a SavedModel",
    )
    parser.add_argument(
        "--history",
        metavar="ID,ID,…",
        required=True,
        help='item ids, oldest first; may be empty (""); quote an id with a comma: \'"a,b",c\'',
    )
    parser.add_argument("--k", type=_positive, default=10, help="how many (default 10)")
    parser.add_argument(
        "--action", default="purchase", help="what was done with the items (default purchase)"
    )
    parser.set_defaults(command=_recommend)
    return parser


def _add_report(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "report",
        help="render the report page of a run again",
        description="Renders report/index.html of the latest run in a run directory again.",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="run directory")
    parser.set_defaults(command=_report)
    return parser


def _add_compile(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "compile",
        help="write the pipeline for Kubeflow Pipelines v2",
        description="Compiles the same pipeline to Kubeflow Pipelines v2 YAML.",
    )
    _add_settings(parser)
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="a .yaml file")
    parser.set_defaults(command=_compile)
    return parser


def _add_benchmark(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "benchmark",
        help="measure the pipeline under the protocol of the research papers",
        description="Runs the whole pipeline on a sequence file (one user a line: "
        "user item1 item2 …, oldest first): leave-one-out, all items ranked, seen items left out. "
        "Prints the figures with their intervals and the cost of each stage. The gates only warn.",
    )
    parser.add_argument("--sequences", metavar="FILE", required=True, help="sequence file")
    parser.add_argument(
        "--items", metavar="FILE", help="items file with item_id and title, text, category or brand"
    )
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="run directory")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of everything random")
    parser.add_argument(
        "--name", help="what the data set is called (default: the end of the file's path)"
    )
    _add_overrides(parser)
    parser.set_defaults(command=_benchmark)
    return parser


def _add_simulate(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "simulate",
        help="write a shop's log with planted user clusters",
        description="Writes events.csv, items.csv, labels.csv and truth.json of a shop whose "
        "clusters are known, to check an evaluation against. The statistical model is in "
        "tfx_pipeline/simulation/README.md.",
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, required=True, help="a new or empty folder"
    )
    add_options(parser)
    parser.set_defaults(command=_simulate)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events",
        metavar="FILE",
        nargs="+",
        help="event log: CSV, Parquet or JSON Lines files, or sequence files; globs work",
    )
    parser.add_argument("--items", metavar="FILE", nargs="+", help="item files (optional)")
    parser.add_argument(
        "--preset",
        metavar="NAME",
        action="append",
        default=[],
        help="settings that come with cohortrec; may be given several times, the last one wins",
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="YAML file with settings")
    _add_overrides(parser)


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        metavar="key=value",
        action="append",
        default=[],
        dest="overrides",
        help="one setting, for example encoder.width=32; may be given several times",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 up, not {text!r}")
    return int(text)


def _load_config(arguments: argparse.Namespace) -> RunConfig:
    from tfx_pipeline.config import load_config

    given = {
        name: tuple(value)
        for name in ("events", "items")
        if (value := getattr(arguments, name)) is not None
    }
    # Events of one's own never go with the items file of a preset's shop.
    if "events" in given:
        given.setdefault("items", ())
    return load_config(arguments.preset, arguments.config, arguments.overrides, **given)


def _run(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import quiet_terminal
    from tfx_pipeline.inputs import (
        event_files,
        labels_file,
        make_writable,
        resolve_files,
        start_path,
    )

    config = _load_config(arguments)
    # A missing file or a read-only directory is told before TensorFlow is imported.
    event_files(config.run.events)
    resolve_files(config.run.items, "items")
    labels_file(config.clustering.labels)
    start_path(config.clustering.start_from)
    make_writable(arguments.output)
    arguments.log = arguments.output / "logs" / "run.log"
    with quiet_terminal(arguments.log, echo=arguments.debug) as console:
        console.line("Starting (loading TensorFlow and TFX) …", style="dim")
        from tfx_pipeline import local_runner, results

        directory = local_runner.RunDirectory(arguments.output)
        outcome = local_runner.run(config, directory, console)
        results.show(outcome, directory, config, console)
    return REFUSED if outcome.status == "refused" else OK


def _benchmark(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.benchmark import compose, data_set_name, run_benchmark
    from tfx_pipeline.console import quiet_terminal
    from tfx_pipeline.inputs import make_writable, resolve_files

    config = compose(arguments.sequences, arguments.items, arguments.seed, arguments.overrides)
    resolve_files(config.run.events, "sequences")
    resolve_files(config.run.items, "items")
    make_writable(arguments.output)
    arguments.log = arguments.output / "logs" / "run.log"
    data_set = data_set_name(arguments.sequences, arguments.name)
    with quiet_terminal(arguments.log, echo=arguments.debug) as console:
        console.line("Starting (loading TensorFlow and TFX) …", style="dim")
        run_benchmark(config, data_set, arguments.output, console)
    return OK


def _recommend(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import Console, quiet
    from tfx_pipeline.recommend import Recommender, parse_history
    from tfx_pipeline.served import find_model

    model = find_model(arguments.model)
    history = parse_history(arguments.history)
    with quiet(arguments.debug):
        recommender = Recommender(model)
        found = recommender.for_items(history, arguments.action, arguments.k)
    console = Console(sys.stdout)
    unknown = recommender.unknown(history)
    if unknown:
        console.line(f"Unknown to the model: {', '.join(unknown)}")
    console.table(
        ["rank", "item", "title", "score"],
        [[str(row.rank), row.item_id, row.title, f"{row.score:.4f}"] for row in found],
        text=("item", "title"),
    )
    if len(found) < arguments.k:
        console.line(f"The model gives no more than {len(found)}; serving.top_k sets the most.")
    return OK


def _report(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import quiet

    with quiet(arguments.debug):
        from tfx_pipeline.report import render_again

        page = render_again(arguments.run_dir)
    print(page)
    return OK


def _compile(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import quiet
    from tfx_pipeline.inputs import make_writable

    config = _load_config(arguments)
    make_writable(arguments.output.parent)
    with quiet(arguments.debug):
        from tfx_pipeline.kubeflow_runner import compile_pipeline

        tasks = compile_pipeline(config, arguments.output)
    print(f"{arguments.output}: {len(tasks)} tasks, image {config.kubeflow.image}")
    return OK


def _simulate(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import Console
    from tfx_pipeline.simulation import SimulationConfig, claim_directory, simulate
    from tfx_pipeline.simulation.summary import show

    config = SimulationConfig.from_dict(given(arguments))
    claim_directory(arguments.output)
    log = simulate(config)
    log.write(arguments.output)
    show(log, arguments.output, Console(sys.stdout))
    return OK


if __name__ == "__main__":
    sys.exit(main())
