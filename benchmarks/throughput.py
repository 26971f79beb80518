"""Training samples a second: our encoder beside a straight PyTorch implementation of it.

Usage: python benchmarks/throughput.py --sequences FILE [--rounds 3] [--samples N]
                                       [--torch-python .venv-torch/bin/python] [--output FILE]

Both train on the same number of samples of the same catalogue, in batches of the same size, in
float32, on the same processors. They take turns, each time in a process of its own that warms up
first. Prints each turn, both medians and their ratio, and whether other processes disturbed the
measurement (`stopwatch.py` says why that makes it void).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

THREADS = 2
UNDISTURBED = 0.05
"""Share of the processors that other processes may take."""
HERE = Path(__file__).parent
SIDES = {"cohortrec": "encoder_training.py", "reference": "torch_reference.py"}


def measure(python: str, script: str, arguments: list[str]) -> dict[str, Any]:
    """Runs one side once; the last line that it prints is its result.

    Raises:
        SystemExit: it failed; its own message stands above.
    """
    command = [python, str(HERE / script), *arguments]
    # What a script prints besides is of interest only when it fails.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"{script} failed with exit code {done.returncode}; its message is above")
    result = json.loads(done.stdout.splitlines()[-1])
    return {**result, "samples_per_second": result["samples"] / result["seconds"]}


def compare(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians of both sides, their ratio, and the load from elsewhere in the worst turn.

    Raises:
        SystemExit: the sides did not train on the same samples and catalogue.
    """
    for fact in ("samples", "items"):
        values = {name: sorted({run[fact] for run in results}) for name, results in runs.items()}
        if values["cohortrec"] != values["reference"] or len(values["reference"]) != 1:
            raise SystemExit(f"the sides cannot be compared, they differ in {fact}: {values}")
    medians = {
        name: statistics.median(run["samples_per_second"] for run in results)
        for name, results in runs.items()
    }
    others = max(run["others_share"] for results in runs.values() for run in results)
    return {
        "medians": medians,
        "ratio": medians["cohortrec"] / medians["reference"],
        "others_share": others,
        "disturbed": others > UNDISTURBED,
    }


def main() -> None:
    """Runs the benchmark; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sequences", type=Path, required=True, help="user item1 item2 … a line")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--samples", type=int, help="a random part this large (default: all)")
    parser.add_argument("--warmup", type=int, default=8192, help="samples trained on beforehand")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=THREADS, help="and processors, each side")
    parser.add_argument(
        "--torch-python",
        default=str(HERE.parent / ".venv-torch" / "bin" / "python"),
        help="a Python that has PyTorch (default: .venv-torch/bin/python, see README.md)",
    )
    parser.add_argument("--output", type=Path, help="where to write the result as JSON")
    arguments = parser.parse_args()
    if not Path(arguments.torch_python).exists():
        parser.error(
            f"{arguments.torch_python} does not exist; benchmarks/README.md says how to install "
            "PyTorch, or give another Python with --torch-python"
        )
    processors = sorted(os.sched_getaffinity(0))[: arguments.threads]
    os.sched_setaffinity(0, processors)

    common = [f"--sequences={arguments.sequences}", f"--batch-size={arguments.batch_size}"]
    common += [f"--warmup={arguments.warmup}", f"--threads={len(processors)}"]
    if arguments.samples:
        common.append(f"--samples={arguments.samples}")
    pythons = {"cohortrec": sys.executable, "reference": arguments.torch_python}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in SIDES}
    for turn in range(arguments.rounds):
        for name, script in SIDES.items():
            run = measure(pythons[name], script, [*common, f"--seed={turn}"])
            runs[name].append(run)
            print(
                f"{name:9}  {run['samples']:,} samples in {run['seconds']:6.1f} s  "
                f"{run['samples_per_second']:7,.0f} samples/s  "
                f"{run['samples'] / run['cpu_seconds']:7,.0f} samples/CPU s  "
                f"others took {run['others_share']:4.0%}  loss {run['loss']:.3f}",
                flush=True,
            )
    result = compare(runs)
    print(
        "medians: cohortrec {cohortrec:,.0f}, reference {reference:,.0f} samples/s".format(
            **result["medians"]
        )
    )
    print(f"ratio: {result['ratio']:.2f}")
    if result["disturbed"]:
        print(
            f"disturbed: other processes took up to {result['others_share']:.0%} of the "
            f"processors, above {UNDISTURBED:.0%}; the ratio is void, repeat it on an idle machine"
        )
    if arguments.output:
        settings = {**vars(arguments), "threads": len(processors)}
        for private in ("torch_python", "output"):
            del settings[private]
        settings["sequences"] = arguments.sequences.name
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(
            json.dumps({"settings": settings, **result, "runs": runs}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
