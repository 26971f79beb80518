"""Folders of the checkout that tests read."""

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BENCHMARKS = REPOSITORY / "benchmarks"
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
