"""The page of a run: right figures, nothing loaded, nothing injected, missing parts left out."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from pathlib import Path

import pytest

from components.cluster_combiner.worth import recommend, verdict
from components.gates.config import GatesConfig
from components.run_report import formats as fmt
from components.run_report.inputs import ReportInputs
from components.run_report.page import figures, render
from components.run_report.sources import RunFolders, collect
from components.run_report.views.results import judged_split, results
from components.run_report.writer import write
from tests.helpers.behavior_records import behavior_record
from tests.helpers.html_page import Page
from tests.helpers.invented_run.folders import with_evaluation, write_run
from tests.helpers.invented_run.gates import write_evaluation
from tests.helpers.invented_run.hostile import HOSTILE
from tests.helpers.invented_run.training import unchanged_trainer
from tests.helpers.peers_records import peers_record
from tests.helpers.shelves_records import shelves_record
from trainer.artifact_record import UnreadableArtifactError

GOOD_SCORES = {None: (0.1196, 0.1020, 0.004), 0: (0.09, 0.105, 0.02), 1: (0.12, 0.105, 0.01)}
BAD_SCORES = {None: (0.1196, 0.1020, 0.004), 2: (0.07, 0.095, 0.01), 10: (0.12, 0.1, 0.01)}
CREATED = "2024-11-24T07:15:00+00:00"


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("evaluations")
    return {
        "good": write_evaluation(root / "good", GOOD_SCORES),
        "bad": write_evaluation(root / "bad", BAD_SCORES),
    }


@pytest.fixture(scope="module")
def full(tmp_path_factory, evaluations) -> ReportInputs:
    folders = write_run(tmp_path_factory.mktemp("full"), actions=("view", "purchase"))
    return collect(
        with_evaluation(folders, evaluations["good"]),
        run_name="Complete Journey",
        created=CREATED,
        provenance={"tfx": "1.16.0", "config": {"encoder": {"width": 64}}},
        gates=GatesConfig(),
    )


@pytest.fixture(scope="module")
def page(full) -> Page:
    return Page(render(full))


def collected(folders: RunFolders) -> tuple[ReportInputs, Page]:
    inputs = collect(folders, run_name="a run", gates=GatesConfig(), created=CREATED)
    return inputs, Page(render(inputs))


def test_header_and_verdict(page):
    assert "Complete Journey" in page.text
    assert "24 Nov 2024, 07:15 UTC" in page.text
    assert "Pushed: every gate passed" in page.text
    assert "The new model was pushed as version 1732430000." in page.text
    assert "measured against own items, then popularity" in page.text


def test_key_figures(page):
    for figure in ("0.1196", "0.2093", "+17.3%", "+0.0012 (+1.0%)"):
        assert figure in page.text
    assert "higher than the global encoder's in 2 and lower in 2." in page.text


def test_data_quality(page):
    for figure in ("Rare item", "48,211", "3.2%", "<0.1%", "20 Oct 2017", "26 Nov 2017", "48.7%"):
        assert figure in page.text
    assert "3 rows are kept with file, line and reason in quarantine.csv" in page.text
    assert "Times without a zone were read as UTC." in page.text
    assert "neither kept nor counted" not in page.text
    assert "transaction_timestamp" in page.text
    assert "9,876 543 83.4% of users, median 7" in page.text
    assert "held out: the next basket (evaluation.task=auto)" in page.text
    assert "not trained on: events 7,310 of rare items." in page.text


def test_unaccounted_rows_are_admitted(full):
    data = full.data_quality.model_copy(update={"rows_read": full.data_quality.rows_read + 17})
    text = Page(render(full.model_copy(update={"data_quality": data}))).text
    assert "17 rows are neither kept nor counted under a reason" in text


def test_training(page):
    assert "Specialist 3" in page.text
    assert "best: epoch 10" in page.text
    assert "fewer than the 200 it takes" in page.text
    assert "131,413 samples of mean length 9" in page.text
    assert "training.learning_rate 0.0021 tuned; configured: 0.001" in page.text
    assert '"learning_rate": 0.0005' in page.text


def test_clusters(page, full):
    assert "chosen: K = 5" in page.text
    assert "elbow: K = 4" in page.text
    assert "→ k-means, K = 5 (chosen) 0.310 0.290 to 0.330" in page.text
    assert "FLUID MILK PRODUCTS" in page.text
    assert "5.0×" in page.text
    assert "Catalogue title 0004" in page.text  # the profile has no title, the catalogue has
    assert "purchase" in page.text
    assert len(full.cluster_map) == full.clustering.users
    paths = [v for tag, name, v in page.attributes if tag == "path" and v.count("h0") > 1]
    assert sum(path.count("h0") for path in paths) == len(full.cluster_map)


def test_what_tells_a_cluster_apart(page, full):
    assert "evening shoppers · soft drinks · small baskets" in page.text
    assert "Evening (18–24 h) 1.8× 1.6 to 2.1" in page.text
    assert "Item 0040 3.0×" in page.text
    assert "Events of kind view 1.3× 1.2 to 1.4" in page.text
    assert "Events per basket 0.6× 0.5 to 0.7" in page.text
    grey = [v for tag, name, v in page.attributes if (tag, name) == ("tr", "class")]
    shown = [item for p in full.profiles for item in p.top_items[:5]]
    assert grey.count("chance") == sum(item.significant is False for item in shown) > 0
    assert ("td", "title", "95%: 4.7 to 5.3") in page.attributes


def test_agreement_with_outside_labels(page):
    section = page.text[page.text.index("Agreement with outside labels") :]
    section = section[: section.index("Results")]
    assert "of the 9,801 users in demographics.parquet are among the clustered users" in section
    assert "More than by chance the clusters agree with: age." in section
    assert re.search(r"age [\d,]+ 0\.123 0\.091 −0\.002 0\.200 0\.090 0\.001 0\.002", section)
    assert re.search(r"income [\d,]+ 0\.004 0\.000 ", section)
    assert "All of these users" in section
    assert "Column zip is left out: 4,321 different values" in section


def test_labels_that_agree_with_nothing(full):
    columns = [c.model_copy(update={"q_value": 0.2}) for c in full.clustering.labels.columns]
    labels = full.clustering.labels.model_copy(update={"columns": columns})
    clustering = full.clustering.model_copy(update={"labels": labels})
    text = Page(render(full.model_copy(update={"clustering": clustering}))).text
    assert "The clusters agree with none of them more than chance does." in text


def test_no_figure_is_the_best_where_all_are_alike(full):
    judged = judged_split(full.comparison)
    name, split = judged.name, judged.split
    row = split.by_target_frequency["21+"]
    alike = {model: {judged.metric: 0.0, "users": row.users} for model in row.models}
    bands = {"21+": row.model_copy(update={"models": alike})}
    split = split.model_copy(update={"by_target_frequency": bands})
    shown = results(full.comparison.model_copy(update={"splits": {name: split}}))
    assert [cell.text for cell in shown.by_frequency.rows[0].cells] == ["0.0000"] * len(alike)
    assert not any(cell.best for cell in shown.by_frequency.rows[0].cells)


def test_results(full):
    text = render(full)
    best = re.findall(r'<td class="best">([^<]+)</td>', text)
    assert "0.1196" in best
    assert "0.1362" in best  # in cluster 3 the global encoder is better than the combiner
    assert "0.1352" not in best
    assert "1-4 events *" in text
    assert ">0 events" not in text  # a bucket without users
    tables = Page(text).text
    assert tables.index("Test · ") < tables.index("Validation · ")


def test_what_item_transitions_brought_is_said_apart_from_the_clusters(page):
    assert "brought +0.0034 (+3.0%)" in page.text
    assert "Global encoder without transitions" in page.text


@pytest.mark.parametrize(
    ("task", "days", "actions", "asked", "first"),
    [
        ("next_basket", None, [], "next basket", "next item"),
        ("next_period", 7.0, [], "next 7 days", "next item"),
        (
            "next_basket", None, ["purchase"], "next purchase", "first item of the next purchase",
        ),
    ],
)  # fmt: skip
def test_all_that_came_next(full, task, days, actions, asked, first):
    comparison = full.comparison.model_copy(
        update={"task": task, "period_days": days, "target_actions": actions}
    )
    text = Page(render(full.model_copy(update={"comparison": comparison}))).text
    assert f"NDCG@10 of the {asked} 0.1316 combiner, test users" in text
    assert f"the combiner reaches NDCG@10 of the {asked} 0.1316" in text
    baskets = text[text.index(f"The whole {asked}") :]
    baskets = baskets[: baskets.index("By cluster")]
    assert baskets.startswith(
        f"The whole {asked} Test · 3,469 users Model Recall@10 Recall@20 NDCG@10 NDCG@20"
    )
    assert f"judged by NDCG@10 of the {asked}." in baskets
    assert f"The {first} Test · 3,469 users Model HR@5" in baskets
    assert f"share of users whose {first} is among" in baskets
    assert f"{first} among the first ten" in text
    assert f"customers whose {first} is among the ten" in text
    assert "Combiner 0.0718 0.1076 0.1316 0.1674" in baskets
    assert "Validation · " in baskets


def test_training_frequencies_from_rare_to_frequent(page):
    section = page.text[page.text.index("By how often what came next occurs in training") :]
    rows = re.findall(r"(\S+) times (?:\* )?([\d,]+) 0\.", section)
    assert rows[-4:] == [("0", "60"), ("1-5", "110"), ("6-20", "440"), ("21+", "900")]
    assert "0 times * 60" in section


def test_combination(page):
    assert "62.0%" in page.text
    assert "NDCG@10 rises by 0.0012 on held-out users." in page.text


def test_worth(page):
    for part in (
        "Combining the specialists helps: +",
        "Advice. Serve the combination. The combination is better than the global encoder",
        "Against global encoder trained on",
        "4 · night shoppers · fluid milk products · small baskets · 600 users",
        "against combination of a random partition",
        "Combiner Combination of a random partition all 3,000",
        "Combiner Global encoder cluster 4 (night shoppers · fluid milk products · small baskets)",
        "the users of cluster 1 (morning shoppers · fluid milk products · small baskets), ",
        "Serving one history, combined 4.2 ms",
    ):
        assert part in page.text, part
    assert re.search(r"Training, all specialists .* of the encoder's", page.text)


def test_worth_is_not_shown_where_nothing_was_compared(full):
    assert "worth" not in Page(render(full.model_copy(update={"worth": None}))).ids


def test_of_too_few_users_nothing_is_said(full):
    """Neither which model is better, nor for whom; figures may be shown."""
    few = {
        split: [x.model_copy(update={"users": 12, "effect": "too few users"}) for x in lifts]
        for split, lifts in full.worth.splits.items()
    }
    choice, why = recommend(few["validation"], used=True)
    worth = full.worth.model_copy(
        update={
            "splits": few,
            "recommendation": choice,
            "why": why,
            "verdict": verdict(few["test"], used=True),
        }
    )
    splits = {
        name: split.model_copy(update={"users": 12})
        for name, split in full.comparison.splits.items()
    }
    comparison = full.comparison.model_copy(update={"splits": splits})
    page = Page(render(full.model_copy(update={"worth": worth, "comparison": comparison})))
    for part in (
        "There are too few test users (12) to say; at least 30 are needed.",
        "Advice. Serve the global encoder alone, which is cheaper. Too few validation users (12)",
        "Whether that is better than the other models: too few test users (12) to say",
    ):
        assert part in page.text, part
    for part in ("Over free baseline", "best baseline that costs nothing", "For whom:", " helps "):
        assert part not in page.text, part


def test_gates(page, full):
    assert not full.verdict.failed
    assert "Floor All users 0.1196 – – At least 0.0010 (gates.min_ndcg_at_10). ✓" in page.text
    assert (
        "Change All users 0.1196 0.1020 +0.0176 (+17.3%) With 95% confidence it is at least "
        in page.text
    )
    assert (
        "Cluster Cluster 0 0.0900 0.1050 −0.0150 (−14.3%) Not counted: at most 0.0100 is "
        "allowed (gates.max_cluster_loss), but chance explains more among 2 clusters (p = 0.68, "
        "gates.confidence). ✓ passed" in page.text
    )


def test_the_lead_stands_beside_what_chance_leaves_of_it(page, full):
    (free,) = (d for d in full.verdict.decisions if (d.gate, d.slice) == ("free", "overall"))
    assert "With 95% confidence it is" in fmt.sentence(free.rule)
    tile = page.text[page.text.index("Over free baseline") :][:250]
    assert free.rule in tile


def test_provenance(page):
    assert "Tfx 1.16.0" in page.text
    assert '"width": 64' in page.text


def test_page_loads_nothing(full):
    text = render(full)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [a for a in page.attributes if a[1] in ("src", "srcset", "data")]
    targets = [value for _, name, value in page.attributes if name in ("href", "xlink:href")]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert {target[1:] for target in targets} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"https?://|url\(|@import", text)
    assert len(text) < 3_000_000


def test_text_from_data_is_escaped(full):
    data = full.data_quality.model_copy(
        update={"notes": [HOSTILE], "columns": {"user_id": HOSTILE}, "dropped": {HOSTILE: 3}}
    )
    text = render(
        full.model_copy(
            update={"run_name": HOSTILE, "data_quality": data, "provenance": {HOSTILE: [HOSTILE]}}
        )
    )
    assert "<script" not in text
    assert HOSTILE in html.unescape(text)
    assert "script" not in Page(text).tags


def test_figures_are_json_without_the_map(full):
    found = json.loads(json.dumps(figures(full)))
    assert "cluster_map" not in found
    assert found["comparison"]["splits"]["test"]["overall"]["combiner"]["ndcg@10"] == pytest.approx(
        0.1196
    )
    assert found["verdict"]["status"] == "pushed"
    assert found["encoder"]["epochs"][0]["val_ndcg@10"] > 0


def test_refused_names_gate_slice_and_figures(tmp_path, evaluations):
    folders = write_run(tmp_path, blessed=False)
    inputs, page = collected(with_evaluation(folders, evaluations["bad"]))
    assert inputs.verdict.status == "refused"
    assert "Refused: 1 gate failed" in page.text
    assert (
        "Cluster 2: NDCG@10 0.0700 is 0.0250 below the baseline's 0.0950 (own items, then "
        "popularity); at most 0.0100 is allowed (gates.max_cluster_loss), and chance does not "
        "explain more among 2 clusters (p = 0.014)." in page.text
    )
    slices = [decision.slice for decision in inputs.verdict.decisions]
    assert slices[-2:] == ["cluster 2", "cluster 10"]


def test_slice_without_users_fails(tmp_path):
    folders = write_run(tmp_path / "run", blessed=False)
    evaluation = write_evaluation(tmp_path / "evaluation", {None: (0.2, 0.1, 0.01)})
    inputs, page = collected(with_evaluation(folders, evaluation))
    assert [decision.gate for decision in inputs.verdict.failed] == ["evaluation"]
    assert "No evaluated example has the feature 'cluster_id'" in page.text


def test_already_served(tmp_path, evaluations):
    folders = write_run(tmp_path, blessed=False, same_model=True)
    inputs, page = collected(with_evaluation(folders, evaluations["bad"]))
    assert inputs.verdict.status == "already_served"
    assert "The model is already served, nothing to push." in page.text


def test_one_cluster_nothing_trained_no_items(tmp_path):
    folders = write_run(tmp_path, clusters=1, trained=False, items=False, details=False)
    _inputs, page = collected(folders)
    assert "1 cluster of" in page.text
    assert "Silhouette by number of clusters" not in page.text
    assert "outside labels" not in page.text.lower()
    assert "Specialists: validation NDCG@10" not in page.text
    assert "The combination is not used: the model equals the global encoder." in page.text
    assert "By length of the history" not in page.text
    assert "The whole next basket" not in page.text
    assert "By how often the next item" not in page.text
    assert "Item 0004" in page.text
    assert "have a title" not in page.text
    assert "No gate decisions: the run has no model evaluation." in page.text


def test_trainers_without_a_cluster_are_one_line(tmp_path):
    folders = write_run(tmp_path, clusters=2)
    for k in (2, 3):
        run = tmp_path / f"idle_{k}"
        unchanged_trainer(k, "empty").write(str(run))
        folders = dataclasses.replace(folders, specialist_runs=(*folders.specialist_runs, str(run)))
    page = collected(folders)[1]
    assert "2 more trainers stood ready" in page.text
    assert "Specialist 2" not in page.text


def test_sixteen_clusters(tmp_path):
    page = collected(write_run(tmp_path, clusters=16))[1]
    assert "Cluster 15" in page.text
    assert page.text.index("Cluster 2 ") < page.text.index("Cluster 10 ")


def test_nothing_at_all():
    inputs, page = collected(RunFolders())
    assert inputs.verdict.status == "not_judged"
    assert "Not judged" in page.text
    assert "the run has no data_quality.json" in page.text


def test_figures_that_were_not_measured(tmp_path):
    folders = write_run(tmp_path, clusters=2)
    path = Path(folders.encoder_run) / "training.json"
    training = json.loads(path.read_text())
    training["epochs"][2]["loss"] = float("nan")
    training["epochs"][3]["val_ndcg@10"] = None
    path.write_text(json.dumps(training))
    evaluation_path = Path(folders.cluster_evaluation) / "evaluation.json"
    evaluation = json.loads(evaluation_path.read_text())
    evaluation["by_k"].insert(
        0, {"k": 1, "silhouette": None, "silhouette_ci": None, "inertia": 1e5, "sizes": [3]}
    )
    evaluation_path.write_text(json.dumps(evaluation))
    text = render(collect(folders, run_name="a run", gates=GatesConfig()))
    assert "nan" not in Page(text).text.lower().split()
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text)


def test_damaged_files_are_named(tmp_path):
    folders = write_run(tmp_path, clusters=2)
    path = Path(folders.comparison) / "comparison.json"
    path.write_text('{"task": "next_item", "models": 5}')
    with pytest.raises(UnreadableArtifactError, match=r"comparison\.json: models"):
        collect(folders, run_name="a run", gates=GatesConfig())
    path.write_text("{")
    with pytest.raises(UnreadableArtifactError, match=r"comparison\.json is not JSON"):
        collect(folders, run_name="a run", gates=GatesConfig())


def test_write(tmp_path, full):
    path = write(full, str(tmp_path / "new" / "report"))
    assert Path(path).read_text(encoding="utf-8") == render(full)
    assert json.loads((tmp_path / "new" / "report" / "metrics.json").read_text())["run_name"]


def test_peers_stand_in_a_table_of_their_own(full, page):
    assert "Against published recommenders" not in page.text
    comparison = full.comparison.model_copy(update={"peers": peers_record()})
    text = Page(render(full.model_copy(update={"comparison": comparison}))).text
    section = text[text.index("Against published recommenders") :]
    section = section[: section.index("By cluster")]
    assert "Implicit ALS 64 factors +0.0123 (+0.0083 to +0.0163) the combiner is better" in section
    assert (
        "GRU next-item model width 128 −0.0050 (−0.0090 to −0.0010) the peer is better" in section
    )
    assert "EASE is left out: the log has 20,000 items." in section


def test_each_shelf_has_its_table_and_the_best_rule_on_it(full, page):
    assert "By shelf" not in page.text
    comparison = full.comparison.model_copy(update={"shelves": shelves_record()})
    text = Page(render(full.model_copy(update={"comparison": comparison}))).text
    section = text[text.index("By shelf") :]
    section = section[: section.index("By cluster")]
    assert "Items they had before · 1,400 users" in section
    assert "Items new to them · 900 users" in section
    assert "Combiner 0.2000 0.4000 0.0600" in section
    assert "Specialists routed by cluster" not in section
    rule = "Own items, then popularity"
    lost, gained = "−0.0050 (−0.0090 to −0.0010)", "+0.0123 (+0.0083 to +0.0163)"
    assert f"Items they had before NDCG@10 {rule} {lost} the rule is better" in section
    assert f"Items new to them Recall@10 {rule} {gained} the combiner is better" in section


def test_what_is_foreseen_has_a_section_with_a_chart(full, page):
    assert "What is foreseen" not in page.text
    comparison = full.comparison.model_copy(update={"behavior": behavior_record()})
    html_text = render(full.model_copy(update={"comparison": comparison}))
    text = Page(html_text).text
    section = text[text.rindex("What is foreseen") :]
    assert "how likely a user takes purchase soon" in section
    figures = "2,000 5.00% 0.790 (0.750 to 0.830) 0.0456"
    assert f"buys_next the next action is purchase {figures}" in section
    assert "buys_within purchase within 7 days 0 – – –" in section
    assert "buys_within: off, the log is too short to know of any test moment" in section
    assert html_text.count("predicted against what happened") == 1
    assert "1,000 moments: predicted 1.0%, happened 2.0%" in html_text
