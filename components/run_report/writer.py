"""Writes the report into a folder, local or remote."""

from __future__ import annotations

import json

from tensorflow.io import gfile

from components.run_report.inputs import ReportInputs
from components.run_report.page import figures, render

PAGE = "index.html"
FIGURES = "metrics.json"


def write(inputs: ReportInputs, folder: str) -> str:
    """Writes `index.html` and `metrics.json`; the folder is made if need be.

    Returns:
        The path of the page.
    """
    gfile.makedirs(folder)
    page = f"{folder.rstrip('/')}/{PAGE}"
    with gfile.GFile(page, "w") as file:
        file.write(render(inputs))
    with gfile.GFile(f"{folder.rstrip('/')}/{FIGURES}", "w") as file:
        file.write(json.dumps(figures(inputs), indent=2, ensure_ascii=False) + "\n")
    return page
