"""A small server on this machine that speaks the chat protocol and says what a test tells it to."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

CUT = object()
"""In a script: hang up here."""
WAIT = object()
"""In a script: say nothing until the test has ended."""


@dataclass
class Refusal:
    """An answer of another status than 200, or of another kind than a stream."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def words(*pieces):
    """Script a reply of words, one chunk a piece."""
    return [*({"delta": {"content": piece}} for piece in pieces), {"finish_reason": "stop"}]


def calls(*wanted, size=4):
    """Script a reply of tool calls (name, arguments as text): arguments in pieces of `size`."""
    script = []
    for index, (name, arguments) in enumerate(wanted):
        head = {"index": index, "id": f"id_{index}", "type": "function"}
        script.append(piece({**head, "function": {"name": name, "arguments": ""}}))
        for at in range(0, len(arguments), size):
            function = {"arguments": arguments[at : at + size]}
            script.append(piece({"index": index, "function": function}))
    return [*script, {"delta": {}, "finish_reason": "tool_calls"}]


def piece(call):
    """Script a piece of a tool call."""
    return {"delta": {"content": None, "tool_calls": [call]}}


class ChatServer:
    """Answers one request after another with what is in `replies`, and keeps what was asked."""

    def __init__(self):
        self.replies, self.requests, self.headers, self.paths = [], [], [], []
        self.over = Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append(json.loads(body))
                server.headers.append(dict(self.headers))
                server.paths.append(self.path)
                server.answer(self, server.replies.pop(0))

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def answer(self, handler, reply):
        if reply is CUT:
            handler.connection.close()
            return
        if reply is WAIT:
            self.over.wait(20)
            return
        if isinstance(reply, Refusal):
            data = reply.body.encode()
            handler.send_response(reply.status)
            handler.send_header("Content-Type", reply.content_type)
            handler.send_header("Content-Length", str(len(data)))
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(b": a comment\n\n")
        for choice in reply:
            if choice is CUT:
                return
            if choice is WAIT:
                self.over.wait(20)
                return
            chunk = choice if isinstance(choice, str) else json.dumps({"choices": [choice]})
            handler.wfile.write(f"data: {chunk}\n\n".encode())
            handler.wfile.flush()
        handler.wfile.write(b"data: [DONE]\n\n")

    def close(self):
        self.over.set()
        self._http.shutdown()
        self._http.server_close()

    @contextmanager
    def running(self):
        """Serve in a thread."""
        Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self.close()
