"""`ReportInputs` -> one HTML page that loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jinja2
from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.cluster_names import ClusterNames
from components.run_report.inputs import ReportInputs
from components.run_report.views.behavior import behavior_view
from components.run_report.views.changes import changes_view
from components.run_report.views.clusters import clusters_view, weights_chart
from components.run_report.views.data import data_view
from components.run_report.views.flows import flows_view
from components.run_report.views.gates import gate_rows
from components.run_report.views.headline import banner, baseline_name, sentences, tiles
from components.run_report.views.labels import labels_view
from components.run_report.views.model_tables import FEW_USERS
from components.run_report.views.results import results
from components.run_report.views.stability import stability_view
from components.run_report.views.training import training_view
from components.run_report.views.worth import worth_view
from trainer.shown_text import shown_text


def render(inputs: ReportInputs) -> str:
    """The page of a run.

    Args:
        inputs: what `collect` read, or figures made by hand.

    Returns:
        HTML with styles and charts inline; every text that comes from data is made fit to be
        shown, and escaped.
    """
    names = ClusterNames(inputs.profiles)
    simple, nested = _provenance(inputs.provenance)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=inputs,
            banner=banner(inputs.verdict),
            baseline=baseline_name(inputs.verdict.baseline) if inputs.verdict.baseline else "",
            tiles=tiles(inputs),
            sentences=sentences(inputs),
            data=data_view(inputs),
            training=training_view(
                inputs.encoder,
                inputs.specialists,
                inputs.clustering.chosen_k if inputs.clustering else None,
            ),
            clusters=clusters_view(inputs, names),
            stability=stability_view(inputs.clustering, names),
            flows=flows_view(inputs.clustering, names),
            changes=changes_view(inputs.clustering, inputs.profiles),
            labels=labels_view(inputs.clustering.labels if inputs.clustering else None, names),
            results=results(inputs.comparison) if inputs.comparison else None,
            behavior=behavior_view(inputs.comparison.behavior if inputs.comparison else None),
            worth=worth_view(inputs.worth, inputs.encoder, inputs.specialists, names),
            weights=weights_chart(inputs.combination),
            gates=gate_rows(inputs.verdict.decisions),
            few_users=FEW_USERS,
            provenance=simple,
            provenance_nested=nested,
        )
    )


def figures(inputs: ReportInputs) -> dict[str, Any]:
    """Every figure on the page as JSON-compatible values; the dots of the map are left out."""
    return inputs.model_dump(mode="json", by_alias=True, exclude={"cluster_map"})


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("components.run_report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_fit_to_be_shown,
    )
    environment.filters.update(
        algorithm=fmt.algorithm_name,
        integer=fmt.integer,
        percent=fmt.percent,
        plain=fmt.plain,
        sentence=fmt.sentence,
        moment=fmt.moment,
        words=fmt.words,
    )
    return environment


def _fit_to_be_shown(value: Any) -> Any:
    """What the template puts out; charts are done already (`charts/svg.py`)."""
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return shown_text(value) if plain else value


def _provenance(
    provenance: Mapping[str, Any],
) -> tuple[list[tuple[str, str]], list[tuple[str, Markup]]]:
    """Single values for the table, and nested ones as indented JSON."""
    simple, nested = [], []
    for name, value in provenance.items():
        if isinstance(value, (dict, list)):
            text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
            lines = Markup("\n").join(shown_text(line) for line in text.split("\n"))
            nested.append((fmt.words(name), lines))
        else:
            simple.append((fmt.words(name), str(value)))
    return simple, nested
