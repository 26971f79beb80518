"""Scales, ticks and number formats of the report."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from components.run_report import formats as fmt
from components.run_report.charts.axes import (
    Scale,
    log_ticks,
    padded,
    ticks,
    time_ticks,
    whole_ticks,
)
from components.run_report.charts.bars import Bar, Group, bar_chart
from components.run_report.charts.calibration import Dot, calibration_chart
from components.run_report.charts.cluster_map import cluster_map
from components.run_report.charts.flags import draw_flags
from components.run_report.charts.lines import Mark, Point, line_chart
from components.run_report.charts.svg import Drawing
from components.run_report.charts.timeline import timeline
from components.run_report.cluster_names import ClusterNames
from components.run_report.inputs import MapPoint
from components.run_report.palette import NOISE_COLOUR, cluster_colour
from components.run_report.views.clusters import _sizes

UTC = dt.timezone.utc


def test_scales():
    assert Scale(0, 10, 100, 200)(5) == 150
    assert Scale(1, 100, 0, 2, log=True)(10) == pytest.approx(1)
    assert Scale(3, 3, 0, 10)(3) == 5


def test_ticks_are_round_and_inside():
    assert ticks(0, 1, 5) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(0.093, 0.124, 3) == [0.1, 0.12]
    assert ticks(2, 2) == [2]
    assert log_ticks(1, 5000) == [1, 10, 100, 1000]
    assert log_ticks(2, 30) == [2, 5, 10, 20]
    assert whole_ticks([1, 40], 10)[:3] == [1, 5, 9]
    assert padded([5, 5])[0] < 5 < padded([5, 5])[1]
    assert padded([0, 0], from_zero=True) == (0, 1)


@pytest.mark.parametrize(
    ("days", "first_label"), [(400, "Jan 2017"), (3000, "2018"), (30, "1 Jan"), (0.5, "00:00")]
)
def test_time_ticks(days, first_label):
    start = dt.datetime(2017, 1, 1, tzinfo=UTC)
    found = time_ticks(start, start + dt.timedelta(days=days))
    assert found[0][1] == first_label
    assert 2 <= len(found) <= 14


def test_line_chart_of_one_point():
    svg = line_chart(
        [Point(1, 0.5)], label="a", x_title="epoch", colour="#000", marks=[Mark(9, "not there")]
    )
    assert "nan" not in svg
    assert "not there" not in svg


def test_labels_in_charts_are_escaped():
    svg = bar_chart([Group("<b>", (Bar(1, "#000", "1", "<i>"),))], label='"quoted"')
    assert "<b>" not in svg
    assert "<i>" not in svg
    assert 'aria-label="&#34;quoted&#34;"' in svg


def test_bars_of_zero_and_of_nothing():
    svg = bar_chart([Group("a", (Bar(0, "#000", "0"), Bar(None, "#000", "–")))], label="a")
    assert "nan" not in svg


@pytest.mark.parametrize(("xs", "anchor"), [((100, 130), "start"), ((800, 900), "end")])
def test_no_flag_line_crosses_a_label(xs, anchor):
    drawing = Drawing(960, 200, "a")
    draw_flags(drawing, [(x, "validation from 1 Jan") for x in xs], 180)
    svg = drawing.svg()
    assert svg.count(f'text-anchor="{anchor}"') == 2
    # The label that reaches over the other line is in the upper row.
    upper = min(xs) if anchor == "start" else max(xs)
    assert f'x1="{upper}" y1="3"' in svg


def test_timeline_of_one_second():
    start = dt.datetime(2020, 1, 1, tzinfo=UTC)
    starts = [start, start + dt.timedelta(seconds=1)]
    assert "<rect" in timeline(starts, [1, 0], [(start, "test from")], colour="#000")


def test_users_of_no_cluster_are_grey_and_below():
    points = [MapPoint(x=x, y=1.0, cluster=k) for x, k in [(0, 0), (1, 0), (2, 9), (3, -1)]]
    drawn = str(cluster_map(points))
    assert drawn.count(NOISE_COLOUR) == 1
    assert drawn.index(NOISE_COLOUR) < drawn.index(cluster_colour(0))
    assert cluster_colour(9) != NOISE_COLOUR
    assert "middle of cluster 9" in drawn
    assert "middle of cluster -1" not in drawn
    bars = str(_sizes([30, 10], 60, ClusterNames()))
    assert "No cluster" in bars
    assert "60.0" in bars
    assert "No cluster" not in str(_sizes([30, 10], 0, ClusterNames()))


def test_numbers():
    assert fmt.integer(1234567) == "1,234,567"
    assert fmt.integer(None) == "–"
    assert fmt.metric(0.11964) == "0.1196"
    assert fmt.metric(float("nan")) == "–"
    assert fmt.signed_metric(-0.0012) == "−0.0012"
    assert fmt.signed_metric(0.00001) == "±0.0000"
    assert fmt.percent(0.1234) == "12.3%"
    assert fmt.percent(0.0001) == "<0.1%"
    assert fmt.percent(0) == "0.0%"
    assert fmt.signed_percent(-0.05) == "−5.0%"
    assert fmt.signed_percent(0.0) == "±0.0%"
    assert fmt.decimal(2.5) == "2.50"
    assert fmt.decimal(1234.6) == "1,235"
    assert fmt.lift(2.345) == "2.3×"
    assert fmt.compact(1_457_710) == "1.46M"
    assert [fmt.duration(s) for s in (0.4, 59.7, 75, 3725)] == [
        "0.4 s",
        "1 min 0 s",
        "1 min 15 s",
        "1 h 2 min",
    ]


def test_times():
    assert fmt.moment("2017-01-01T11:53:26Z") == "1 Jan 2017, 11:53"
    assert fmt.moment("2017-01-01T00:00:00+02:00") == "31 Dec 2016, 22:00"
    assert fmt.moment("2017-01-01") == "1 Jan 2017"
    assert fmt.moment("order") == "order"
    assert fmt.moment(None) == "–"


def test_names():
    assert fmt.metric_name("ndcg@10") == "NDCG@10"
    assert fmt.metric_name("mrr") == "MRR"
    assert fmt.metric_name("example_count") == "Example count"
    assert fmt.trainer_name("Trainer.cluster_12") == "Specialist 12"
    assert fmt.trainer_name("encoder") == "Global encoder"
    assert fmt.slice_name({}) == "All users"
    assert fmt.slice_name({"cluster_id": "3"}) == "Cluster 3"
    assert fmt.slice_name({"cluster_id": "-1"}) == "No cluster"
    assert fmt.slice_name({"history_length": "1-4"}) == "History of 1-4 events"
    assert fmt.sentence("best of three") == "Best of three."
    assert fmt.plain([0.123456, 1]) == "0.1235, 1"


def test_a_calibrated_group_stands_on_the_diagonal():
    dots = [Dot(10, 0.1, 0.1), Dot(10, 0.2, 0.1), Dot(10, 0.4, 0.4)]
    svg = calibration_chart(dots, label="calibration", colour="#0072b2")
    found = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)
    (x0, y0), (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in found]
    line = re.search(
        r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="interval"', svg
    )
    left, bottom, right, top = (float(end) for end in line.groups())

    def height(x):
        """Of the diagonal above a place of the horizontal axis."""
        return bottom + (x - left) / (right - left) * (top - bottom)

    assert y0 == pytest.approx(height(x0), abs=0.2)
    assert y2 == pytest.approx(height(x2), abs=0.2)
    # What happened less often than it was predicted is below it.
    assert y1 == y0 > height(x1) + 10
    assert "10 moments: predicted 20.0%, happened 10.0%" in svg
    # Nothing happened anywhere: there is still an axis.
    assert "0%" in calibration_chart([Dot(5, 0.0, 0.0)], label="none", colour="#0072b2")
