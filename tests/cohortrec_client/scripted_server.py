"""An HTTP server that answers what a test says, on 127.0.0.1, until the test ends."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = {
    "item_ids": [["a", "b"]],
    "scores": [[2.0, 0.1]],
    "cluster_id": [1],
    "cluster_weights": [[0.5, 0.5]],
}


class Scripted(ThreadingHTTPServer):
    """Gives one (status, body, headers) after the other, the last one again and again."""

    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self):
        self._reply(None)

    def do_POST(self):
        self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _reply(self, body):
        server = self.server
        server.requests.append((self.path, body, time.monotonic()))
        step = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        status, answer, headers = (*step, {})[:3]
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def scripted(*script):
    """Runs the server for as long as the block lasts."""
    server = Scripted(script)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
