"""The tables that a run prints at its end."""

import io

from components.cluster_combiner.record import ComparisonRecord, SliceComparison, SplitComparison
from tests.helpers.behavior_records import behavior_record
from tests.helpers.peers_records import peers_record
from tests.helpers.shelves_records import shelves_record
from tfx_pipeline.local import results
from tfx_pipeline.terminal.console import Console

MODELS = ["own_items", "combiner"]


def printed(show, *arguments):
    stream = io.StringIO()
    show(*arguments, Console(stream))
    return [line.split() for line in stream.getvalue().splitlines() if line.strip()]


def overall(task, figures, **more):
    test = SplitComparison(
        users=9, overall=figures, by_cluster={}, by_history_length={}, by_target_frequency={}
    )
    return ComparisonRecord(task=task, models=MODELS, splits={"test": test}, **more)


def test_whole_baskets():
    own = {"basket_recall@10": 0.1, "basket_recall@20": 0.15, "basket_ndcg@10": 0.2, "hr@10": 0.9}
    combiner = {**own, "basket_ndcg@20": 0.25}
    heading, header, *rows = printed(
        results.show_baskets, overall("next_basket", {"own_items": own, "combiner": combiner})
    )
    assert " ".join(heading) == "Test users, the whole next basket"
    assert header == ["model", "recall@10", "recall@20", "NDCG@10", "NDCG@20"]
    assert rows[0][-4:] == ["0.1000", "0.1500", "0.2000", "–"]
    assert rows[1] == ["combiner", "0.1000", "0.1500", "0.2000", "0.2500"]


def test_baskets_of_one_item_get_no_table():
    single = {"hr@10": 0.5, "ndcg@10": 0.4}
    comparison = overall("next_item", {"own_items": single, "combiner": single})
    assert printed(results.show_baskets, comparison) == []


def test_a_period_is_called_what_was_asked():
    figures = {name: {"basket_ndcg@10": 0.2} for name in MODELS}
    comparison = overall("next_period", figures, period_days=7.0)
    heading, *_ = printed(results.show_baskets, comparison)
    assert " ".join(heading) == "Test users, the whole next 7 days"
    heading, *_ = printed(results.show_clusters, comparison)
    assert " ".join(heading) == "Test users by cluster, NDCG@10 of the next 7 days"


def test_purchases_are_called_what_was_asked():
    figures = {name: {"basket_ndcg@10": 0.2, "hr@10": 0.3} for name in MODELS}
    comparison = overall("next_basket", figures, target_actions=["purchase"])
    heading, *_ = printed(results.show_baskets, comparison)
    assert " ".join(heading) == "Test users, the whole next purchase"

    def show(comparison, console):
        test = comparison.splits["test"].overall
        results.show_overall(test, MODELS, console, comparison.asked_item)

    heading, *_ = printed(show, comparison)
    assert " ".join(heading) == "Test users, the first item of the next purchase"


def test_frequency_bands_name_their_users():
    bands = {
        "0": SliceComparison(users=12, models={name: {"ndcg@10": 0.0} for name in MODELS}),
        "21+": SliceComparison(users=3400, models={"own_items": {"ndcg@10": 0.1}, "combiner": {}}),
    }
    test = SplitComparison(
        users=3412, overall={}, by_cluster={}, by_history_length={}, by_target_frequency=bands
    )
    comparison = ComparisonRecord(task="next_item", models=MODELS, splits={"test": test})
    _, header, own, combiner = printed(results.show_frequencies, comparison)
    assert header == ["model", "0×", "(12)", "21+×", "(3,400)"]
    assert own[-2:] == ["0.0000", "0.1000"]
    assert combiner == ["combiner", "0.0000", "–"]


def test_slices_are_judged_by_the_whole_basket_where_there_are_baskets():
    figures = {"ndcg@10": 0.1, "basket_ndcg@10": 0.2}
    part = SliceComparison(users=40, models=dict.fromkeys(MODELS, figures))
    test = SplitComparison(
        users=40, overall={}, by_cluster={"0": part}, by_history_length={}, by_target_frequency={}
    )
    comparison = ComparisonRecord(task="next_basket", models=MODELS, splits={"test": test})
    heading, _, own, _ = printed(results.show_clusters, comparison)
    assert " ".join(heading) == "Test users by cluster, NDCG@10 of the next basket"
    assert own[-1] == "0.2000"


def test_each_peer_has_a_paired_difference():
    comparison = ComparisonRecord(task="next_item", models=MODELS, splits={})
    assert printed(results.show_peers, comparison) == []
    heading, _, als, gru, ease = printed(
        results.show_peers, comparison.model_copy(update={"peers": peers_record()})
    )
    measure = comparison.primary_title
    assert " ".join(heading) == f"Combiner minus each peer, {measure} with 95 % interval"
    assert " ".join(als) == "implicit ALS +0.0123 +0.0083 to +0.0163 64 factors"
    assert " ".join(gru) == "GRU next-item model -0.0050 -0.0090 to -0.0010 width 128"
    assert " ".join(ease) == "EASE is left out: the log has 20,000 items"


def test_each_shelf_has_a_table_and_what_the_combiner_gains_on_it():
    comparison = ComparisonRecord(task="next_basket", models=[*MODELS, "routed"], splits={})
    assert printed(results.show_shelves, comparison) == []
    lines = printed(
        results.show_shelves, comparison.model_copy(update={"shelves": shelves_record()})
    )
    own, new = lines[:5], lines[5:]
    assert " ".join(own[0]) == "Test users, a list of items that they had only (1,400 took some)"
    assert own[1] == ["model", "recall@10", "NDCG@10", "repeat", "recall@10"]
    assert own[3] == ["combiner", "0.2000", "0.4000", "0.0600"]
    rule = "own items, then popularity"
    assert " ".join(own[4]) == f"combiner minus {rule}, NDCG@10: -0.0050 (-0.0090 to -0.0010)"
    assert " ".join(new[0]) == "Test users, a list of items new to them only (900 took some)"
    assert new[1][-2:] == ["explore", "recall@10"]
    assert " ".join(new[4]) == f"combiner minus {rule}, recall@10: +0.0123 (+0.0083 to +0.0163)"
    assert len(new) == 5


def test_each_figure_of_the_behaviour_head_has_a_line():
    comparison = ComparisonRecord(task="next_item", models=MODELS, splits={})
    assert printed(results.show_behavior, comparison) == []
    heading, following, soon = printed(
        results.show_behavior, comparison.model_copy(update={"behavior": behavior_record()})
    )
    assert " ".join(heading) == "How likely a user takes purchase soon"
    assert " ".join(following).startswith("buys_next: on, validation AUC 0.801 is above 0.6;")
    assert " ".join(soon).startswith("buys_within: off, the log is too short")
