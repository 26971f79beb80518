"""Cutting histories at checkpoints: what is visible never holds the target or anything later."""

import pytest
import tensorflow as tf

from components.sequence_clusterer.assignment import segments
from trainer.raw_history import EVENT_FEATURES, OPTIONAL_EVENT_FEATURES


def history(times, first_target=0, **lists):
    count = len(times)
    example = tf.train.Example()
    feature = example.features.feature
    feature["user_id"].bytes_list.value.append(b"u")
    feature["item_ids"].bytes_list.value.extend(f"i{n}".encode() for n in range(count))
    feature["actions"].bytes_list.value.extend([b"purchase"] * count)
    feature["timestamps"].int64_list.value.extend(times)
    feature["prices"].float_list.value.extend(float(n) for n in range(count))
    feature["quantities"].float_list.value.extend([1.0] * count)
    feature["categories"].bytes_list.value.extend(f"c{n}".encode() for n in range(count))
    feature["session_ids"].bytes_list.value.extend(f"s{n}".encode() for n in range(count))
    feature["target_item_ids"].bytes_list.SetInParent()
    feature["first_target"].int64_list.value.append(first_target)
    feature["history_length"].bytes_list.value.append(b"50+")
    for name, values in lists.items():
        feature[name].bytes_list.value[:] = values
    return example.SerializeToString()


def values(record):
    features = tf.train.Example.FromString(record).features.feature
    return {name: list(getattr(f, f.WhichOneof("kind")).value) for name, f in features.items()}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([5], [1]),
        ([5, 5, 5], [3]),
        ([1, 2], [1, 2]),
        (list(range(20)), [1, 2, 4, 8, 16, 20]),
        (list(range(16)), [1, 2, 4, 8, 16]),
        # the first basket has three items; 4 falls into the second basket, so it moves to 3
        ([1, 1, 1, 2, 2, 2, 3, 4, 5], [3, 8, 9]),
        # 2, 4 and 8 all fall into the basket that starts after the first event
        ([1, 2, 2, 2, 2, 2, 2, 2, 2, 3], [1, 10]),
    ],
)
def test_checkpoints(times, expected):
    assert segments.checkpoints(times) == expected


def test_checkpoints_never_split_a_basket():
    times = [n // 7 for n in range(500)]
    cuts = segments.checkpoints(times)
    assert cuts == sorted(set(cuts))
    assert cuts[-1] == 500
    assert all(times[cut - 1] != times[cut] for cut in cuts[:-1])


def test_segments_partition_the_targets():
    cut = segments.cut_segments(history(range(20)))
    spans = sorted(
        (values(s.example)["first_target"][0], len(values(s.example)["item_ids"])) for s in cut
    )
    assert spans == [(1, 2), (2, 4), (4, 8), (8, 16), (16, 20)]


def test_every_list_along_the_history_is_cut():
    for segment in segments.cut_segments(history(range(20))):
        example, visible = values(segment.example), values(segment.visible)
        end, start = len(example["item_ids"]), example["first_target"][0]
        for name in (*EVENT_FEATURES, *OPTIONAL_EVENT_FEATURES):
            assert len(example[name]) == end
            assert visible[name] == example[name][:start]
        assert visible["first_target"] == [start]
    by_end = {len(values(s.example)["item_ids"]): values(s.example) for s in cut_of(20)}
    assert by_end[4]["history_length"] == [b"1-4"]
    assert by_end[20]["history_length"] == [b"20-49"]


def cut_of(count):
    return segments.cut_segments(history(range(count)))


def test_one_instant_gives_no_segment():
    assert segments.cut_segments(history([7, 7, 7])) == []
    assert segments.cut_segments(history([7])) == []
    assert segments.cut_segments(history([])) == []


def test_positions_before_first_target_stay_no_targets():
    spans = sorted(
        (values(s.example)["first_target"][0], len(values(s.example)["item_ids"]))
        for s in segments.cut_segments(history(range(20), first_target=5))
    )
    assert spans == [(5, 8), (8, 16), (16, 20)]
    for segment in segments.cut_segments(history(range(20), first_target=5)):
        # an earlier checkpoint than the first target: less is visible, never more
        assert (
            len(values(segment.visible)["item_ids"]) <= values(segment.example)["first_target"][0]
        )


def test_the_future_leaves_no_trace_in_what_is_visible():
    """Whatever follows a checkpoint: what may decide the cluster is the same, byte for byte."""
    now = {s.visible for s in cut_of(8)}
    changed = [f"other{n}".encode() for n in range(4)]
    items = [f"i{n}".encode() for n in range(4)] + changed
    other_items = {s.visible for s in segments.cut_segments(history(range(8), item_ids=items))}
    longer = {s.visible for s in cut_of(40)}
    assert now == other_items  # visible up to 4 events; events 4 to 7 differ
    assert now <= longer


def test_held_out_history_hides_its_target():
    one = segments.visible_history(history(range(5), target_item_ids=[b"x"]))
    other = segments.visible_history(history(range(5), target_item_ids=[b"y", b"z"]))
    assert one == other
    assert values(one)["target_item_ids"] == []


def test_cluster_is_added_for_every_reader():
    record = segments.with_cluster(history(range(3)), 2)
    assert values(record)["cluster_id"] == [2]
    assert len(values(record)["item_ids"]) == 3
    parsed = tf.io.parse_example(
        [record],
        {
            "cluster_id": tf.io.FixedLenFeature([1], tf.int64),
            "item_ids": tf.io.VarLenFeature(tf.string),
        },
    )
    assert parsed["cluster_id"].numpy().tolist() == [[2]]
    assert parsed["item_ids"].dense_shape.numpy().tolist() == [1, 3]


@pytest.mark.parametrize(("moment", "known"), [(11, 1), (20, 1), (21, 3), (30, 3)])
def test_history_before_a_moment(moment, known):
    cut = values(segments.history_before(history([10, 20, 20, 30]), moment))
    assert cut["timestamps"] == [10, 20, 20, 30][:known]
    for name in (*EVENT_FEATURES, *OPTIONAL_EVENT_FEATURES):
        assert len(cut[name]) == known
    assert cut["first_target"] == [known]
    assert cut["target_item_ids"] == []
    assert cut["history_length"] == [b"1-4"]


@pytest.mark.parametrize("moment", [5, 10, 31])
def test_no_history_before_a_moment_outside_of_it(moment):
    assert segments.history_before(history([10, 20, 20, 30]), moment) is None
