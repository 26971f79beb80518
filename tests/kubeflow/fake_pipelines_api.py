"""Test double of the API server of Kubeflow Pipelines, on the loopback interface.

It keeps pipelines, versions, experiments, runs and recurring runs in memory, and answers the
requests that the real kfp client makes for `kubeflow/submit.py`. It runs nothing: the states of a
run are a list that the test gives.
"""

import itertools
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakePipelinesApi:
    """A server that stops with its `with` block.

    Attributes:
        url: where it listens.
        pipelines, versions, experiments, runs, recurring: what it was told, by id.
        states: the states that each further look at a run sees; the last one stays.
        uploaded: the bodies of uploads.
    """

    def __init__(self, states=("SUCCEEDED",)):
        self.pipelines, self.versions, self.experiments = {}, {}, {}
        self.runs, self.recurring, self.uploaded = {}, {}, []
        self.states = list(states)
        self._ids = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def new(self, kind, table, **values):
        key = f"{kind}-{next(self._ids)}"
        table[key] = {f"{kind}_id": key, **values}
        return table[key]


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def _answer(self, value, status=200):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _request(self):
            url = urllib.parse.urlsplit(self.path)
            query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return url.path.removeprefix("/apis/v2beta1/").split("/"), query, body

        def do_GET(self):
            path, query, _ = self._request()
            if path == ["healthz"]:
                self._answer({"multi_user": False})
            elif path == ["pipelines"]:
                self._answer({"pipelines": _named(api.pipelines, query)})
            elif path[0] == "pipelines" and path[2:] == ["versions"]:
                self._answer({"pipeline_versions": _named(api.versions, query)})
            elif path == ["experiments"]:
                self._answer({"experiments": _named(api.experiments, query)})
            elif path == ["recurringruns"]:
                self._answer({"recurringRuns": _named(api.recurring, query)})
            elif path[0] == "runs":
                state = api.states.pop(0) if len(api.states) > 1 else api.states[0]
                self._answer({**api.runs[path[1]], "state": state})
            else:
                self._answer({"message": f"unknown: {self.path}"}, 404)

        def do_POST(self):
            path, query, body = self._request()
            if path == ["pipelines", "upload"]:
                api.uploaded.append(body)
                made = api.new("pipeline", api.pipelines, display_name=query["name"])
                api.new("pipeline_version", api.versions, display_name=query["name"])
            elif path == ["pipelines", "upload_version"]:
                api.uploaded.append(body)
                assert query["pipelineid"] in api.pipelines
                made = api.new("pipeline_version", api.versions, display_name=query["name"])
            elif path == ["experiments"]:
                made = api.new("experiment", api.experiments, **json.loads(body))
            elif path == ["runs"]:
                made = api.new("run", api.runs, **json.loads(body))
            elif path == ["recurringruns"]:
                made = api.new("recurring_run", api.recurring, **json.loads(body))
            else:
                self._answer({"message": f"unknown: {self.path}"}, 404)
                return
            self._answer(made)

        def do_DELETE(self):
            path, _, _ = self._request()
            del api.recurring[path[1]]
            self._answer({})

    return Handler


def _named(table, query):
    """What has the name that a filter asks for; everything without one."""
    if "filter" not in query:
        return list(table.values())
    (predicate,) = json.loads(query["filter"])["predicates"]
    wanted = predicate.get("stringValue") or predicate.get("string_value")
    return [one for one in table.values() if one["display_name"] == wanted]
