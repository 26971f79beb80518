"""The REST client against scripted answers: retries, limits, errors, and the JSON itself."""

import base64
import socket
import threading
import time

import pytest

from cohortrec_client import (
    DeadlineExceeded,
    History,
    InvalidRequest,
    ModelNotFound,
    Patience,
    ServerError,
    ServerUnavailable,
    SignatureNotFound,
    connect,
)
from tests.cohortrec_client.scripted_server import ANSWER, scripted

QUICK = Patience(attempts=3, timeout=0.5, deadline=2.0, first_pause=0.01, longest_pause=0.02)
OK = (200, {"outputs": ANSWER})
HISTORY = History(["a"], timestamps=[1])


def _ask(server, patience=QUICK, **version):
    with connect(server.url, "shop", patience=patience, **version) as client:
        return client.recommend(HISTORY)


def test_the_answer_is_typed():
    with scripted(OK) as server:
        answer = _ask(server)
    assert answer.item_ids == ("a", "b")
    assert answer.scores[0] == 2.0
    assert answer.scores[1] == 0.10000000149011612  # the float32 nearest to 0.1
    assert (answer.cluster, answer.cluster_weights) == (1, (0.5, 0.5))
    assert next(iter(answer)) == ("a", 2.0)
    assert len(answer) == 2


def test_places_without_an_item_are_left_out():
    with scripted((200, {"outputs": {**ANSWER, "item_ids": [["a", ""]]}})) as server:
        assert _ask(server).item_ids == ("a",)


def test_ids_survive_in_both_directions():
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")
    # TensorFlow Serving writes strings as they are, also those that are no UTF-8.
    raw = b'{"outputs": {"item_ids": [["\xff\xfe", "t\xc3\xa9"]], "scores": [[1, 0.5]],'
    raw += b'"cluster_id": [-1], "cluster_weights": [[1.0]]}}'
    with scripted((200, raw)) as server, connect(server.url, "shop", patience=QUICK) as client:
        answer = client.recommend(History([odd, "té"], timestamps=[1, 2]))
        ((path, body, _),) = server.requests
    assert answer.item_ids == (odd, "té")
    assert path == "/v1/models/shop:predict"
    assert body["signature_name"] == "recommend"
    b64 = base64.b64encode(b"\xff\xfe").decode()
    assert body["inputs"]["item_ids"] == [[{"b64": b64}, "té"]]
    assert body["inputs"]["timestamps"] == [[1, 2]]


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ({"version": 7}, "/v1/models/shop/versions/7:predict"),
        ({"label": "canary"}, "/v1/models/shop/labels/canary:predict"),
    ],
)
def test_versions_and_labels_are_in_the_path(version, path):
    with scripted(OK) as server:
        _ask(server, **version)
        assert server.requests[0][0] == path


@pytest.mark.parametrize("status", [429, 503, 504])
def test_what_passes_with_time_is_tried_again(status):
    with scripted((status, {"error": "busy"}), (status, {"error": "busy"}), OK) as server:
        assert _ask(server).item_ids == ("a", "b")
        assert len(server.requests) == 3


def test_the_tries_are_limited():
    with scripted((503, {"error": "busy"})) as server:
        with pytest.raises(ServerUnavailable, match=r"shop.*busy.*503"):
            _ask(server)
        assert len(server.requests) == 3


@pytest.mark.parametrize("shelf", ["all", "own", "new"])
def test_a_shelf_has_a_signature_of_its_own(shelf):
    with scripted(OK) as server, connect(server.url, "shop", patience=QUICK) as client:
        assert client.recommend(HISTORY, shelf).item_ids == ("a", "b")
        assert len(client.recommend_many([HISTORY], shelf=shelf)) == 1
        asked = {body["signature_name"] for _, body, _ in server.requests}
    assert asked == {"recommend" if shelf == "all" else f"recommend_{shelf}"}


def test_an_unknown_shelf_is_not_sent():
    with scripted(OK) as server, connect(server.url, "shop", patience=QUICK) as client:
        with pytest.raises(InvalidRequest, match="ask for one of all, own, new"):
            client.recommend(HISTORY, "old")  # type: ignore[arg-type]
        assert server.requests == []


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({}, "version 12 does not serve the shelf 'own'"),
        ({"version": 7}, "version 7 does not serve the shelf 'own'"),
        ({"label": "canary"}, "the version with the label 'canary' does not serve the shelf 'own'"),
    ],
)
def test_a_version_without_shelves_is_named_with_what_to_do(asked, named):
    lacks = (400, {"error": 'Serving signature name: "recommend_own" not found in signature def'})
    states = [
        {"version": version, "state": state, "status": {}}
        for version, state in (("11", "AVAILABLE"), ("12", "AVAILABLE"), ("13", "LOADING"))
    ]
    with (
        scripted(lacks, (200, {"model_version_status": states})) as server,
        connect(server.url, "shop", patience=QUICK, **asked) as client,
    ):
        with pytest.raises(SignatureNotFound, match=named) as caught:
            client.recommend(HISTORY, "own")
        # Without a version it asks which one answers.
        assert len(server.requests) == (1 if asked else 2)
    assert "serving.exclude_seen" in str(caught.value)
    assert "run the pipeline again" in str(caught.value)


def test_a_server_that_does_not_tell_its_versions_is_no_other_error():
    lacks = (400, {"error": 'Serving signature name: "recommend_new" not found in signature def'})
    with (
        scripted(lacks, (500, {"error": "broken"})) as server,
        connect(server.url, "shop", patience=QUICK) as client,
        pytest.raises(SignatureNotFound, match="this version does not serve the shelf 'new'"),
    ):
        client.recommend(HISTORY, "new")


@pytest.mark.parametrize(("asks", "signature"), [("target", "recommend"), ("any", "recommend_any")])
def test_what_is_asked_for_has_a_signature_of_its_own(asks, signature):
    with scripted(OK) as server, connect(server.url, "shop", patience=QUICK) as client:
        assert client.recommend(HISTORY, asks=asks).item_ids == ("a", "b")
        assert len(client.recommend_many([HISTORY], asks=asks)) == 1
        assert {body["signature_name"] for _, body, _ in server.requests} == {signature}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"asks": "view"}, "asks 'view': ask for one of target, any"),
        ({"asks": "any", "shelf": "own"}, "with the shelf 'own'.* ask for any event with .*'all'"),
        ({"asks": "any", "shelf": "old"}, "ask for one of all, own, new"),
    ],
)
def test_what_cannot_be_asked_for_is_not_sent(asked, told):
    with scripted(OK) as server, connect(server.url, "shop", patience=QUICK) as client:
        with pytest.raises(InvalidRequest, match=told):
            client.recommend(HISTORY, **asked)
        with pytest.raises(InvalidRequest, match=told):
            client.recommend_many([], **asked)
        assert server.requests == []


def test_a_model_without_target_actions_says_why_it_is_not_asked_for_any():
    lacks = (400, {"error": 'Serving signature name: "recommend_any" not found in signature def'})
    with (
        scripted(lacks) as server,
        connect(server.url, "shop", patience=QUICK, version=7) as client,
        pytest.raises(SignatureNotFound, match="version 7 cannot be asked for 'any'") as caught,
    ):
        client.recommend(HISTORY, asks="any")
    assert "data.target_actions" in str(caught.value)
    assert "ask for 'target'" in str(caught.value)
    assert "run the pipeline again" in str(caught.value)


def test_a_server_may_ask_for_a_longer_pause():
    with scripted((503, {"error": "busy"}, {"Retry-After": "1"}), OK) as server:
        _ask(server)
        first, second = (moment for _, _, moment in server.requests)
    assert second - first >= 1.0


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "Missing named input: actions in 'inputs' object.", InvalidRequest),
        (400, 'Serving signature name: "recommend" not found in signature def', SignatureNotFound),
        (400, "Unrecognized servable version label: canary", ModelNotFound),
        (404, "Servable not found for request: Latest(shop)", ModelNotFound),
        (500, "it broke", ServerError),
        (501, "no", ServerError),
    ],
)
def test_other_refusals_are_final_and_clear(status, message, error):
    with scripted((status, {"error": message})) as server:
        with pytest.raises(error, match="shop") as caught:
            _ask(server)
        assert message in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"<html>hello</html>",
        b"[" * 100_000,
        b"{}",
        b'{"outputs": {}}',
        b'{"outputs": {"item_ids": ["a"]}}',
        b'{"outputs": {"item_ids": [["a"], []], "scores": [[1]]}}',
        b'{"outputs": {"item_ids": [["a"]], "scores": [["x"]], "cluster_id": [0]}}',
    ],
)
def test_answers_of_something_else_are_errors(content):
    with scripted((200, content)) as server, pytest.raises(ServerError):
        _ask(server)


def test_answers_for_another_number_of_users_are_errors():
    with scripted(OK) as server, connect(server.url, "shop", patience=QUICK) as client:
        with pytest.raises(ServerError, match="2 histories asked, 1 rows"):
            client.recommend_many([HISTORY, HISTORY])
        assert client.recommend_many([]) == []


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with connect(url, "shop", patience=QUICK) as client, pytest.raises(ServerUnavailable):
            client.recommend(HISTORY)


@pytest.mark.parametrize("drips", [False, True], ids=["silence", "dripping"])
def test_a_slow_server_ends_at_the_deadline(drips):
    patience = Patience(attempts=10, timeout=0.3, deadline=0.8, first_pause=0.01)
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        if drips:
            threading.Thread(target=_drip, args=(slow,), daemon=True).start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        began = time.monotonic()
        with connect(url, "shop", patience=patience) as client, pytest.raises(DeadlineExceeded):
            client.recommend(HISTORY)
        assert 0.3 <= time.monotonic() - began < 2.0


def _drip(server):
    """Answers every connection with a byte now and then, for much longer than anybody waits."""
    while True:
        try:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(15):
                connection.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            if server.fileno() < 0:
                return


def test_the_status_of_versions():
    versions = [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK"}},
        {"version": "2", "state": "END", "status": {"error_message": "broken"}},
    ]
    with scripted((200, {"model_version_status": versions})) as server:
        found = connect(server.url, "shop", patience=QUICK).status()
    assert [(v.version, v.state, v.error) for v in found] == [
        (2, "END", "broken"),
        (1, "AVAILABLE", ""),
    ]


@pytest.mark.parametrize("limit", ["attempts", "timeout", "deadline", "first_pause"])
def test_limits_must_be_positive(limit):
    with pytest.raises(ValueError, match=limit):
        Patience(**{limit: 0})
