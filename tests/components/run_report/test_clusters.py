"""The chapter on the clusters: what each view says, and what it says where a piece is absent."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from components.cluster_combiner.record import Lift, WorthRecord, WorthVerdict
from components.gates.config import GatesConfig
from components.run_report.cluster_names import ClusterNames, shortened
from components.run_report.inputs import ReportInputs
from components.run_report.page import render
from components.run_report.sources import collect
from components.run_report.views.candidates import LONG, candidate_view
from components.run_report.views.flows import flows_view
from components.run_report.views.silhouettes import silhouette_view
from components.run_report.views.stability import stability_view
from components.run_report.views.traits import trait_rows
from components.run_report.views.worth import worth_view
from components.sequence_clusterer.choice.selection import select_clustering
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from components.sequence_clusterer.lasting.drift import find_transitions
from tests.helpers.html_page import Page
from tests.helpers.invented_run.clustering import evaluation
from tests.helpers.invented_run.folders import write_run
from tests.helpers.invented_run.hostile import HOSTILE
from tests.helpers.invented_run.profiles import cluster_profile, trait
from trainer.evaluation.compared_models import CONTINUED, GLOBAL, RANDOM_COMBINER, title

NAMES = ClusterNames(
    [
        cluster_profile(0, "evening shoppers · wine"),
        cluster_profile(1, "x" * 200),
        cluster_profile(2, "cluster 2 (no distinguishing traits)"),
    ]
)


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> ReportInputs:
    return collect(
        write_run(tmp_path_factory.mktemp("full")), run_name="a run", gates=GatesConfig()
    )


@pytest.fixture(scope="module")
def figures(full) -> EvaluationRecord:
    return full.clustering


def changed(figures: EvaluationRecord, **update: Any) -> EvaluationRecord:
    """As if the artifact held other values; validated like the artifact."""
    return EvaluationRecord.model_validate({**figures.model_dump(), **update})


def with_drift(figures: EvaluationRecord, then: list[int], now: list[int]) -> EvaluationRecord:
    found = find_transitions(np.array(then), np.array(now), 3, 3).to_record()
    moved = float(np.mean(np.array(then) != np.array(now)))
    drift = {"moment": 0, "users": len(then), "changed": moved, "assigned": found}
    return changed(figures, drift=drift, chosen_k=3)


def section(text: str, begin: str, end: str) -> str:
    return text[text.index(begin) : text.index(end, text.index(begin) + len(begin))]


def test_names_in_charts_and_sentences():
    assert NAMES.label(0, 30) == "0 · evening shoppers · wine"
    assert NAMES.label(0, 12) == "0 · evening…"
    assert len(NAMES.label(1, 30)) == 30
    assert (NAMES.label(2, 30), NAMES.label(7, 30)) == ("Cluster 2", "Cluster 7")
    assert (NAMES.label(-1, 30), NAMES.called(-1)) == ("No cluster", "no cluster")
    assert NAMES.called(0) == "cluster 0 (evening shoppers · wine)"
    assert NAMES.called(2) == "cluster 2"
    assert len(NAMES.called(1)) < 80
    assert NAMES.in_text("Good for cluster 0, cluster 2.") == (
        "Good for cluster 0 (evening shoppers · wine), cluster 2."
    )
    assert shortened("abc", 3) == "abc"


def test_every_candidate_is_listed_and_the_chosen_one_marked(figures):
    view = candidate_view(figures)
    assert len(view.rows) == 18
    assert [(row.algorithm, row.k) for row in view.rows if row.chosen] == [("k-means", 5)]
    assert view.several
    assert "valleys" not in view.rule
    assert "highest silhouette" in view.rule
    columns = [name for name, _ in view.columns]
    assert "Gap" not in columns  # measured for no candidate
    first, last = view.rows[0], view.rows[-1]

    def cell(row, name):
        return row.cells[columns.index(name)]

    silhouette = cell(first, "Silhouette (95%)")
    assert (silhouette.text, silhouette.detail) == ("0.250", "0.230 to 0.270")
    assert cell(first, "BIC").text == "–"
    assert cell(last, "BIC").text == "−71,175"
    assert cell(last, "Noise").text == "3.4%"
    assert cell(first, "Davies–Bouldin").best  # the lowest is best
    assert not cell(last, "Davies–Bouldin").best
    assert cell(last, "Groups").best  # the highest is best
    assert not cell(first, "Groups").best


def test_few_candidates_are_not_folded_away(figures):
    assert candidate_view(figures).folded
    few = changed(
        figures, candidates=figures.model_dump()["candidates"][: LONG - 1], k_from="config"
    )
    view = candidate_view(few)
    assert not view.folded
    assert not view.several
    assert "was set" in view.rule


def test_silhouettes_by_cluster(figures):
    view = silhouette_view(figures, NAMES)
    assert view.rows[0].name == "evening shoppers · wine"
    assert view.rows[0].figures == ["855", "0.450", "0.0%"]
    assert view.rows[4].figures[2] == "12.5%"
    assert str(view.chart).count("<polygon") == 5
    assert "cluster 0 (evening shoppers · wine): 855 users, mean silhouette 0.450" in view.chart
    assert "all users: 0.31" in view.chart


def test_clusters_without_a_silhouette_are_left_out(figures):
    means = [None, -0.2, None, 0.1, 0.0]
    view = silhouette_view(changed(figures, silhouette_by_cluster=means, noise=9), NAMES)
    assert [row.cluster for row in view.rows] == [1, 3, 4]
    assert view.rows[0].figures[1] == "−0.200"
    assert view.noise
    none = changed(figures, silhouette_by_cluster=[None] * 5)
    assert silhouette_view(none, NAMES) is None


def test_stability_names_what_does_not_come_back(figures):
    view = stability_view(figures, NAMES)
    text = " ".join(view.sentences)
    assert "adjusted Rand index of 0.71 (95% of the resamples: 0.62 to 0.83)" in text
    assert "other seeds at 0.88" in text
    assert "Do not build on what does not come back: cluster 4." in text
    assert "cluster 1 (xxx" in text
    assert "and cluster 2 (41%)" in text
    assert "0.42 dissolved" in view.jaccard
    assert "0.91 highly stable" in view.jaccard
    row = view.together.rows[1]
    assert [cell.text for cell in row[1]] == ["2%", "95%", "41%", "2%", "2%"]
    assert [cell.dark for cell in row[1]] == [False, True, False, False, False]
    assert row[1][2].shade == 41


def test_stability_where_everything_comes_back(figures):
    known = figures.stability.model_dump() | {"ari_resampled": None}
    stability = known | {"jaccard": [0.9, 0.8], "readings": ["highly stable", "stable"]}
    pairs = [[1.0, None], [None, 0.99]]
    view = stability_view(changed(figures, stability=stability | {"together": pairs}), NAMES)
    assert view.sentences == ["Every cluster comes back."]
    assert view.together.rows[0][1][1].text == "–"
    assert view.together.rows[0][1][1].shade == 0
    unknown = known | {"jaccard": [None], "readings": ["not measured"], "together": []}
    view = stability_view(changed(figures, stability=unknown), NAMES)
    assert "not measured" in view.jaccard
    assert view.together is None
    assert stability_view(changed(figures, stability=None), NAMES) is None
    assert stability_view(None, NAMES) is None


def test_users_who_stay_join_and_scatter(figures):
    then = [0] * 10 + [1] * 10 + [2] * 10
    now = [0] * 8 + [1, 1] + [0] * 6 + [1] * 4 + [0, 0, 0, 1, 1, 2, 2, -1, -1, -1]
    view = flows_view(with_drift(figures, then, now), NAMES)
    assert view.users == "30"
    assert view.moment == "1 Jan 1970"
    assert view.headline[0] == "53.3% of them are in another cluster now."
    assert view.headline[1] == (
        "The largest moves: from cluster 1 to cluster 0 (6 users); from cluster 2 to cluster 0 "
        "(3 users); from cluster 2 to no cluster (3 users)."
    )
    said = view.assigned.sentences
    assert said[0].startswith(
        "Cluster 0 (evening shoppers · wine) kept most of its users (80%) and took in most users "
        "of cluster 1 (xxx"
    )
    assert "Cluster 2: its users are scattered." in said
    assert "Cluster 2 has users of several clusters and the majority of none." in said
    assert view.assigned.matrix.columns == ["0", "1", "2", "no cluster"]
    assert next(name for name, _ in view.assigned.matrix.rows) == "0 · evening shoppers · wine"
    assert len(view.assigned.matrix.rows) == 3  # nobody was noise then
    assert [c.text for c in view.assigned.matrix.rows[0][1]] == ["80%", "20%", "0%", "0%"]
    assert "No cluster: 10%" in view.assigned.chart
    assert view.refitted is None


def test_nobody_moves(figures):
    view = flows_view(with_drift(figures, [0, 0, 1, 2], [0, 0, 1, 2]), NAMES)
    assert view.headline == ["0.0% of them are in another cluster now."]
    assert view.assigned.sentences[0] == (
        "Cluster 0 (evening shoppers · wine): most users stayed (100%)."
    )
    assert view.assigned.undrawn == ""


def test_clusters_that_split_merge_vanish_and_appear(figures):
    def words(then, now):
        found = find_transitions(np.array(then), np.array(now), 5, 3).to_record()
        drift = {"users": len(then), "refitted": found, "ari": -0.01}
        view = flows_view(changed(figures, drift=drift), NAMES)
        return view.headline, view.refitted

    headline, refitted = words(
        [0] * 4 + [1] * 4 + [2] * 4 + [3] * 10,
        [0, 0, 1, 1] + [2] * 8 + [0, 0, 1, 1, 2, 2] + [-1] * 4,
    )
    assert refitted.sentences[0] == "Earlier clusters 1 and 2 merged into cluster 2."
    assert refitted.sentences[1].startswith(
        "Earlier cluster 0 split into cluster 0 (evening shoppers · wine) and cluster 1 (xxx"
    )
    assert refitted.sentences[2] == "Earlier cluster 3 vanished: its users are scattered."
    assert (
        "adjusted Rand index of −0.01, and clusters of resampled users agree with them at 0.71"
        in headline[0]
    )
    # The numbers of the earlier clusters are their own: no name of this run stands beside them.
    assert [name for name, _ in refitted.matrix.rows] == [f"Earlier cluster {k}" for k in range(4)]
    _, refitted = words([0] * 4 + [1] * 4, [0, 0, 0, 2, 1, 1, 1, 2])
    assert refitted.sentences[0] == (
        "Earlier cluster 0 lives on as cluster 0 (evening shoppers · wine) (75% of its users)."
    )
    assert refitted.sentences[-1] == "Cluster 2 appeared."


def test_faint_flows_are_counted_where_they_are_not_drawn(figures):
    then = [0] * 996 + [1] * 4
    view = flows_view(with_drift(figures, then, [0] * 994 + [1, 2] + [1] * 4), NAMES)
    assert view.assigned.undrawn == "0.6%"
    assert str(view.assigned.chart).count("<path") == 1


def test_a_log_without_times_says_so(figures, full):
    clustering = changed(figures, drift={"reason": "the log has an order but no times"})
    view = flows_view(clustering, NAMES)
    assert view.reason == "The log has an order but no times."
    page = Page(render(full.model_copy(update={"clustering": clustering})))
    assert "Not measured: The log has an order but no times." in page.text
    assert flows_view(changed(clustering, chosen_k=1), NAMES) is None
    assert flows_view(None, NAMES) is None


def lift(against: str, cluster: int | None, users: int = 500, mean: float = 0.01) -> Lift:
    return Lift(
        model="combiner", against=against, cluster=cluster, users=users, mean=mean,
        low=mean - 0.02, high=mean + 0.02, base=0.1, effect="makes no difference",
    )  # fmt: skip


def worth(clusters: list[int]) -> WorthRecord:
    rivals = ("global", "random_combiner", "continued")
    found = [lift(rival, None, 900) for rival in rivals]
    found += [lift(rival, k) for rival in rivals for k in clusters]
    return WorthRecord(
        splits={"test": found},
        recommendation="global",
        why="the combination is not clearly better",
        verdict=WorthVerdict(
            judged="combiner",
            effect="helps",
            helps=[0],
            hurts=[],
            beats={},
            sentences=["On their own, the users of cluster 0 are served better."],
        ),
    )


def test_worth_has_names_and_every_control_by_cluster():
    view = worth_view(worth([-1, 0, 1]), None, [], NAMES)
    assert view.sentences == [
        "On their own, the users of cluster 0 (evening shoppers · wine) are served better."
    ]
    chart = str(view.by_cluster)
    assert "0 · evening shoppers · wine · 500 users" in chart
    assert "No cluster · 500 users" in chart
    assert "Cluster -1" not in chart
    for rival in (GLOBAL, RANDOM_COMBINER, CONTINUED):
        assert chart.count(f"against {title(rival)}<") == 3
    assert not view.folded
    rows = dict(view.rows)["test"]
    assert {row.whose for row in rows[3:5]} == {"no cluster", "cluster 0 (evening shoppers · wine)"}
    assert worth_view(worth(list(range(20))), None, [], NAMES).folded
    assert worth_view(worth([0]), None, [], NAMES).by_cluster is None


def test_bars_of_traits_point_to_more_and_to_less():
    kinds = [2.0, 0.5, 100.0, 1.0, None, 0.0]
    traits = [trait("item", "a", lift, None) for lift in kinds]
    bars = [(row.left, row.width) for row in trait_rows(traits)]
    assert bars == [(50, 25), (25, 25), (50, 50), (50, 0), (50, 0), (50, 0)]


def test_the_chapter_on_the_page(full):
    page = Page(render(full))
    assert {"clusters", "stability", "flows", "profiles", "labels", "worth"} <= set(page.ids)
    stability = section(page.text, "Do the clusters come back?", "Do users stay in their cluster?")
    assert "1 · morning shoppers · flui… 2% 95% 41% 2% 2%" in stability
    flows = section(page.text, "Do users stay in their cluster?", "Cluster profiles")
    assert "Clusters move" in flows
    assert "All 18 candidates of all algorithms" in page.text
    labels = page.text[page.text.index("What part of each cluster has each label") :]
    assert "0 · night shoppers · soft drinks · small baskets 855 50% 50%" in labels


def test_images_are_described_in_words(full):
    text = render(full)
    images = re.findall(r"<svg[^>]*>", text)
    assert images
    assert all('role="img"' in image and re.search('aria-label="[^"]+"', image) for image in images)
    for label in (
        "Silhouettes of the users, by cluster",
        "Jaccard coefficient of each cluster over resamples",
        "Users by cluster, then and now",
        "Users by the clusters made then and those of this run",
    ):
        assert re.search(rf'aria-label="{label}"><desc>[^<]+</desc>', text), label


def test_names_from_data_are_escaped(full):
    profiles = [p.model_copy(update={"name": f"{HOSTILE} {p.cluster}"}) for p in full.profiles]
    text = render(full.model_copy(update={"profiles": profiles}))
    assert "<script" not in text
    assert "0 · &lt;script&gt;" in text
    assert "cluster 0 (&lt;script&gt;" in text
    assert "script" not in Page(text).tags


def test_twenty_clusters_with_very_long_names(tmp_path):
    inputs = collect(write_run(tmp_path, clusters=20), run_name="a run", gates=GatesConfig())
    profiles = [p.model_copy(update={"name": f"{p.cluster} " * 99}) for p in inputs.profiles]
    text = render(inputs.model_copy(update={"profiles": profiles}))
    svg_texts = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert max(map(len, svg_texts)) < 100
    assert 'class="matrix many"' in text
    assert "For whom: a chart of every cluster" in text
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text)
    assert len(text) < 3_000_000


def test_two_clusters_are_no_special_case(tmp_path):
    page = Page(
        render(collect(write_run(tmp_path, clusters=2), run_name="a run", gates=GatesConfig()))
    )
    assert {"stability", "flows"} <= set(page.ids)


def test_one_cluster_has_nothing_to_compare(tmp_path):
    folders = write_run(tmp_path, clusters=1, trained=False)
    page = Page(render(collect(folders, run_name="a run", gates=GatesConfig())))
    assert not {"stability", "flows"} & set(page.ids)
    assert "Silhouette by cluster" not in page.text
    assert "candidates" not in page.text


def test_a_continuum_is_called_one(full, figures):
    text = "No clusters found: one continuum as far as can be told."
    clustering = changed(figures, clusters_found=False, reason=text)
    page = Page(render(full.model_copy(update={"clustering": clustering})))
    assert text in page.text
    assert "by k-means, parts of a continuum" in page.text
    assert "parts of a continuum" not in Page(render(full)).text


def test_reads_what_the_clusterer_writes():
    rng = np.random.default_rng(0)
    points = np.repeat(np.eye(3, 8), 40, axis=0) + rng.normal(0, 0.1, (120, 8))
    config = ClusteringConfig.from_dict({"min_cluster_users": 1})
    chosen = select_clustering(points.astype(np.float32), config, max_clusters=3)
    written = json.loads(json.dumps(chosen.to_record().to_json(), allow_nan=False))
    found = evaluation(chosen.clustering.sizes, **written)
    view = candidate_view(found)
    assert [row.k for row in view.rows if row.chosen] == [3]
    assert len(view.columns) == 10
    assert all(cell.text != "–" for cell in view.rows[-1].cells)
    assert [spread.users for spread in found.silhouette_spread] == [40] * 3
    assert len(silhouette_view(found, NAMES).rows) == 3
    assert stability_view(found, NAMES).sentences[-1] == "Every cluster comes back."


def test_hours_and_days_are_shown_only_of_a_log_with_times(full):
    assert "Hours of activity" in render(full)
    assert "Days from first to last event" in render(full)
    timeless = full.data_quality.model_copy(update={"first_event": None, "last_event": None})
    text = render(full.model_copy(update={"data_quality": timeless}))
    assert "Hours of activity" not in text
    assert "Days from first to last event" not in text
