"""The chat API that many servers speak (`POST /chat/completions`), as a stream of choices.

Follows https://platform.openai.com/docs/api-reference/chat (server-sent events, `stream: true`).
Servers that answer with one JSON object although a stream was asked for are understood too.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from threading import Event as Flag
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from llark_py.errors import ConfigError, EndpointError

from .interruptible import interruptible

KEY_VARIABLE = "LLARK_API_KEY"
"""The environment variable that holds the key, if the endpoint asks for one."""
TIMEOUT_S = 120.0
_CONNECT_S = 10.0
_WAITS_S = (0.5, 1.0, 2.0)
"""How long to wait before each further attempt."""
_LONGEST_WAIT_S = 20.0
_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, range(500, 600)
_UNREACHABLE = (
    httpx.NetworkError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
)
_LONGEST_COMPLAINT = 300
_DATA, _NO_DATA, _LAST = b"data:", (b":", b"event:", b"id:", b"retry:"), b"[DONE]"


class FunctionPiece(BaseModel):
    """A tool's name, and the next piece of its arguments (some servers send them as an object)."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CallPiece(BaseModel):
    """A piece of a tool call; `index` says of which."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Words(BaseModel):
    """What is new in the reply."""

    content: str | None = None
    tool_calls: list[CallPiece] | None = None


class Choice(BaseModel):
    """A piece of the reply (`delta`), or all of it (`message`)."""

    delta: Words | None = None
    message: Words | None = None
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[Choice] | None = None
    error: Any = None


class ChatApi:
    """A language model behind an address.

    The key is read from the environment variable LLARK_API_KEY, and is sent there and nowhere
    else: redirections are not followed, and it is cut out of every message.

    Args:
        url: Address of the API, usually ending in `/v1`.
        model: What the model is called there.
        timeout_s: How long the endpoint may send nothing, in seconds.

    Raises:
        ConfigError: The address, name or key cannot be used.
    """

    def __init__(self, url: str, model: str, *, timeout_s: float = TIMEOUT_S):
        if not model.strip():
            raise ConfigError("the name of the endpoint's model is empty")
        self.url, self.model = _check_url(url), model
        self._timeout = httpx.Timeout(timeout_s, connect=_CONNECT_S)
        self._key = os.environ.get(KEY_VARIABLE, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError(f"the key in {KEY_VARIABLE} holds characters that no key has")

    def stream(self, request: dict[str, Any], stop: Flag) -> Iterator[Choice]:
        """Ask for a reply.

        Args:
            request: What the API takes (`messages`, `tools`, ...) but `model` and `stream`.
            stop: Set it to hang up.

        Yields:
            Pieces of the reply as they come.

        Raises:
            EndpointError: The endpoint cannot be reached, refuses, or does not speak the protocol.
        """
        body = json.dumps({"model": self.model, "stream": True, **request}).encode()
        yield from interruptible(lambda: self._choices(body), stop)

    async def _choices(self, body: bytes) -> AsyncIterator[Choice]:
        finished = False
        try:
            async with self._client() as client:
                response = await self._open(client, body)
                async for data in _payloads(response):
                    if data == _LAST:
                        finished = True
                        break
                    for choice in self._read(data):
                        finished = finished or bool(choice.finish_reason or choice.message)
                        yield choice
        except httpx.TimeoutException as error:
            raise EndpointError(
                f"{self.url} has sent nothing for {self._timeout.read:g} s"
            ) from error
        except httpx.HTTPError as error:
            if not finished:
                raise EndpointError(f"the reply of {self.url} was cut off: {error}") from error
        if not finished:
            raise EndpointError(f"the reply of {self.url} was cut off before its end")

    def _client(self) -> httpx.AsyncClient:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            return httpx.AsyncClient(timeout=self._timeout, headers=headers)
        except (ValueError, ImportError) as error:
            raise EndpointError(f"the proxy of the environment cannot be used: {error}") from error

    async def _open(self, client: httpx.AsyncClient, body: bytes) -> httpx.Response:
        """Send the request, several times where that may help, until it is accepted."""
        for wait_s in (*_WAITS_S, None):
            request = client.build_request("POST", f"{self.url}/chat/completions", content=body)
            try:
                response = await client.send(request, stream=True)
            except _UNREACHABLE as error:
                failure = EndpointError(
                    f"{self.url} cannot be reached: {error or type(error).__name__}. "
                    "Does the server run, and is the address right?"
                )
            else:
                if response.status_code == httpx.codes.OK:
                    return response
                failure = await self._refusal(response)
                status, asked_s = response.status_code, response.headers.get("retry-after", "")
                if status != _TOO_MANY_REQUESTS and status not in _SERVER_ERRORS:
                    raise failure
                if asked_s.isdecimal() and wait_s is not None:
                    wait_s = min(float(asked_s), _LONGEST_WAIT_S)
            if wait_s is None:
                raise failure
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    async def _refusal(self, response: httpx.Response) -> EndpointError:
        """Say why the endpoint does not answer, in its own words and ours."""
        complaint = self._complaint(await response.aread())
        await response.aclose()
        known = "is not accepted" if self._key else "is not set"
        hint = {
            401: f" (the key in {KEY_VARIABLE} {known})",
            403: f" (the key in {KEY_VARIABLE} {known})",
            404: f" (the address usually ends in /v1; or there is no model '{self.model}')",
        }.get(response.status_code, "")
        status = f"{response.status_code} {response.reason_phrase}".strip()
        return EndpointError(f"{self.url} answers {status}{hint}{complaint}")

    def _read(self, data: bytes) -> list[Choice]:
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise EndpointError(
                f"{self.url} does not speak the chat protocol{self._complaint(data)}"
            ) from error
        if chunk.error is not None or chunk.choices is None:
            raise EndpointError(f"{self.url} failed while it answered{self._complaint(data)}")
        return chunk.choices

    def _complaint(self, body: bytes) -> str:
        """Quote what the endpoint sent, shortened, on one line, without the key."""
        text = body.decode("utf-8", "replace")
        try:
            said = json.loads(text)
            said = said.get("error") or said.get("message") or said.get("detail") or said
            said = said.get("message") or said if isinstance(said, dict) else said
            text = said if isinstance(said, str) else json.dumps(said)
        except (ValueError, AttributeError):
            pass  # not JSON, or no object: quoted as it is
        line = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
        if self._key:
            line = line.replace(self._key, "***")
        if len(line) > _LONGEST_COMPLAINT:
            line = line[:_LONGEST_COMPLAINT] + " ..."
        return f": {line}" if line else ""


async def _payloads(response: httpx.Response) -> AsyncIterator[bytes]:
    """Cut a stream of events into what they carry; a body that is no stream comes in one piece."""
    rest, other = b"", b""
    streamed = response.headers.get("content-type", "").startswith("text/event-stream")
    # Not by httpx's lines: those also end at characters that JSON may hold as they are.
    async for piece in response.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(_DATA):
                streamed = True
                if data := line.removeprefix(_DATA).strip():
                    yield data
            elif not line.startswith(_NO_DATA):
                other += line + b"\n"
    if not streamed and not rest.startswith(_DATA):
        yield other + rest


def _check_url(url: str) -> str:
    try:
        _ = urlsplit(url).port  # refuses brackets and ports that httpx does not mind
        parsed = httpx.URL(url)
        parsed.host.encode("idna")  # what connecting would stumble over
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"the endpoint is no address: {error}") from error
    if parsed.userinfo or parsed.query or parsed.fragment:
        # Not quoted: it may hold a password.
        raise ConfigError(
            "the address of the endpoint may hold no user, password or query; "
            f"give a key in the environment variable {KEY_VARIABLE}"
        )
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(
            f"the endpoint '{url}' is no address such as http://127.0.0.1:8000/v1 or "
            "https://example.org/v1"
        )
    return str(parsed).rstrip("/").removesuffix("/chat/completions")
