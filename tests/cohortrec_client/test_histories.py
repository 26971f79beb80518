"""What a client sends for a history."""

import pytest

from cohortrec_client import History, InvalidRequest, connect
from cohortrec_client.history import padded


def test_histories_are_padded_at_the_end():
    tensors = padded(
        [History(["a"], "view", [1]), History([]), History(["b", "c"], ["x", "y"], [2, 3])]
    )
    assert {tensor.shape for tensor in tensors.values()} == {(3, 2)}
    assert tensors["item_ids"].rows() == [[b"a", b""], [b"", b""], [b"b", b"c"]]
    assert tensors["actions"].rows() == [[b"view", b""], [b"", b""], [b"x", b"y"]]
    assert tensors["timestamps"].rows() == [[1, 0], [0, 0], [2, 3]]


def test_empty_histories_alone_are_one_padded_place():
    assert padded([History([])])["item_ids"].shape == (1, 1)


def test_without_times_events_are_a_day_apart_up_to_now(monkeypatch):
    monkeypatch.setattr("cohortrec_client.history.time.time", lambda: 1_000_000.9)
    assert History(["a", "b"]).rows()[2] == [1_000_000 - 2 * 86_400, 1_000_000 - 86_400]


def test_ids_may_be_bytes_that_are_no_utf8():
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert History(["té", odd], timestamps=[1, 2]).rows()[0] == ["té".encode(), b"\xff\xfe"]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"item_ids": "abc"}, "list"),
        ({"item_ids": [""]}, "''"),
        ({"item_ids": [7]}, "7"),
        ({"item_ids": ["a"], "actions": []}, "0 actions"),
        ({"item_ids": ["a"], "actions": [None]}, "None"),
        ({"item_ids": ["a"], "timestamps": [1, 2]}, "2 timestamps"),
        ({"item_ids": ["a"], "timestamps": [float("nan")]}, "nan"),
        ({"item_ids": ["a"], "timestamps": [1.5]}, "1.5"),
        ({"item_ids": ["a"], "timestamps": [2**63]}, str(2**63)),
        ({"item_ids": ["a"], "timestamps": [True]}, "True"),
    ],
)
def test_wrong_histories_are_named(values, named):
    with pytest.raises(InvalidRequest, match="(?s).*" + named):
        History(**values)


@pytest.mark.parametrize(
    "arguments",
    [("localhost:8501", "m"), ("ftp://host", "m"), ("http://", "m"), ("http://host", "")],
)
def test_wrong_addresses_are_named(arguments):
    with pytest.raises(InvalidRequest):
        connect(*arguments)


def test_a_version_and_a_label_exclude_each_other():
    with pytest.raises(InvalidRequest, match="not both"):
        connect("http://host", "m", version=1, label="canary")
