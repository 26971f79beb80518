"""The report's section on what became of the last run's clusters, from real continuations."""

import re

import numpy as np
import pytest

from components.gates.verdict import Verdict
from components.run_report.inputs import ReportInputs
from components.run_report.page import render
from tests.helpers.continuations import (
    DIM,
    go_on,
    last_run,
    users_named,
)
from tests.helpers.html_page import Page
from tests.helpers.invented_run.clustering import evaluation
from tests.helpers.invented_run.profiles import cluster_profile

HOSTILE = "<b>bargain & hunters</b>"


def page_of(continuation):
    k = len(continuation.ids)
    inputs = ReportInputs(
        run_name="shop",
        created="2024-05-01T10:00:00+00:00",
        verdict=Verdict("not_judged"),
        clustering=evaluation([40] * k, lasting=continuation.to_record()),
        profiles=[cluster_profile(c, f"today {c}") for c in range(k)],
    )
    text = render(inputs)
    return text, Page(text)


@pytest.fixture(scope="module")
def changed():
    """No. 0 splits, no. 2 goes into no. 1, nobody of no. 3 came back, 30 users are new."""
    old = {number: users_named(f"c{number}-", 40) for number in (0, 1, 2, 3)}
    half = np.eye(DIM)[6] * 0.8
    groups = [(np.eye(DIM)[0] + half, 22), (np.eye(DIM)[0] - half, 18), (1, 80), (1, 30)]
    users = [*old[0], *old[1], *old[2], *users_named("new", 30)]
    last = last_run(old, names=["early birds", "snackers", "tea", HOSTILE])
    return go_on(groups, users, last)


def test_every_cluster_has_a_row_with_what_happened(changed):
    text, page = page_of(changed)
    section = text[text.index('<section id="changes">') :]
    rows = [
        " ".join(re.sub(r"<[^>]+>", " ", row).split())
        for row in re.findall(r"<tr.*?</tr>", section[: section.index("</table>")], re.DOTALL)
    ]
    assert rows[1:] == [
        "No. 0 Cluster 0 goes on 22 22 of 40 0 today 0 last run: early birds",
        "No. 1 Cluster 1 took in no. 2 110 40 of 40 30 today 1 last run: snackers",
        "No. 4 Cluster 2 split off from no. 0 18 – 0 today 2",
        "No. 3 – retired – – – last run: &lt;b&gt;bargain &amp; hunters&lt;/b&gt;",
    ]
    assert "The last run's 4 clusters go on, found again by 120 common users" in page.text
    assert "A choice without the last run would be K = 3 (k-means)" in page.text
    assert "changes" in page.ids
    assert HOSTILE not in text


def test_who_went_where(changed):
    _, page = page_of(changed)
    assert "Last run No. 0 No. 1 No. 4 Name in the last run No. 0 22 0 18 early birds" in page.text


def test_too_few_common_users_are_said_without_a_table():
    old = {0: users_named("a", 30), 1: users_named("b", 30)}
    _, page = page_of(go_on([(0, 40), (1, 40)], users_named("x", 80), last_run(old)))
    assert "What changed since the last run" in page.text
    assert "The clusters start afresh: 0 of the 80 users are known" in page.text
    assert "Lasting number" not in page.text


def test_a_first_run_has_no_such_section():
    text, page = page_of(go_on([(0, 40), (1, 40)], users_named("x", 80), None))
    assert "since the last run" not in page.text
    assert 'href="#changes"' not in text
