"""What became of clusters, by hand."""

import numpy as np
import pytest

from components.sequence_clusterer.lasting.drift import find_transitions


def users(*flows):
    """(old, new, how many) -> labels before and after."""
    before = np.concatenate([np.full(count, old) for old, _, count in flows])
    after = np.concatenate([np.full(count, new) for _, new, count in flows])
    return before, after


def test_every_kind_of_transition():
    found = find_transitions(
        *users(
            (0, 3, 80), (0, 1, 20),  # lives on as 3
            (1, 0, 60), (1, 2, 40),  # merged into 0
            (2, 0, 51), (2, 1, 49),  # merged into 0
            (3, 1, 50), (3, 2, 50),  # split into 1 and 2
            (4, 0, 20), (4, 1, 20), (4, 2, 20), (4, 3, 20), (4, 5, 20),  # scattered
            (-1, 4, 10), (-1, -1, 5),  # 4 appeared, of noise
        ),
        5,
        6,
    )  # fmt: skip
    assert found.survived == {0: 3}
    assert found.merged == {0: [1, 2]}
    assert found.split == {3: [1, 2]}
    assert found.vanished == [4]
    assert found.appeared == [4, 5]
    assert found.users == 515
    # 80 with 0, 60 and 51 in the merger, 100 in the parts, 5 noise still
    assert found.left == pytest.approx(1 - (80 + 60 + 51 + 100 + 5) / 515)
    assert found.overlaps[0].tolist() == [0.0, 0.2, 0.0, 0.8, 0.0, 0.0]
    assert found.flows.shape == (6, 7)
    assert found.flows[5].tolist() == [0, 0, 0, 0, 10, 0, 5]
    assert found.in_words() == [
        "Cluster 0 lives on as cluster 3 (80% of its users).",
        "Clusters 1 and 2 merged into cluster 0.",
        "Cluster 3 split into clusters 1 and 2.",
        "Cluster 4 vanished: its users are scattered.",
        "Cluster 4 appeared.",
        "Cluster 5 appeared.",
    ]


def test_nothing_changed():
    labels = np.repeat([0, 1, 2], 10)
    found = find_transitions(labels, labels, 3, 3)
    assert found.survived == {0: 0, 1: 1, 2: 2}
    assert found.left == 0.0
    assert (found.merged, found.split, found.vanished, found.appeared) == ({}, {}, [], [])


def test_a_cluster_that_turned_into_noise_vanished():
    found = find_transitions(*users((0, -1, 10), (1, 1, 10)), 2, 2)
    assert found.vanished == [0]
    assert found.left == 0.5


def test_parts_below_a_quarter_are_no_split():
    found = find_transitions(*users((0, 0, 40), (0, 1, 20), (0, 2, 20), (0, 3, 20)), 1, 4)
    assert found.split == {}
    assert found.vanished == [0]


def test_half_in_one_place_and_the_rest_scattered_is_no_split():
    found = find_transitions(*users((0, 0, 50), (0, 1, 20), (0, 2, 20), (0, 3, 10)), 1, 4)
    assert found.split == {}
    assert found.vanished == [0]


def test_empty_clusters_are_not_mentioned():
    found = find_transitions(*users((0, 0, 10)), 3, 3)
    assert found.survived == {0: 0}
    assert (found.vanished, found.appeared) == ([], [])


def test_plain_values():
    values = find_transitions(*users((0, 1, 30), (0, 0, 30)), 1, 2).to_record().to_json()
    assert values["split"] == {"0": [0, 1]}
    assert values["flows"] == [[30, 30, 0], [0, 0, 0]]


@pytest.mark.parametrize("after", [[], [0]])
def test_labels_of_other_users(after):
    before = [] if not after else [0, 0]
    with pytest.raises(ValueError, match="same users"):
        find_transitions(np.array(before), np.array(after), 1, 1)
