"""The assistant for catalogues: the same questions about many recordings, answered side by side.

Every recording has its own conversation, tools and constraints, as if it had been asked alone
(`turns.ToolLoop`); only the generating is done for all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from threading import Event as Flag
from typing import Any, NamedTuple

from llark_py.messages import AudioPart, Message, user

from .constraints import constrain_reply
from .context import check_room, fit_context
from .conversation import quotable_text, recordings, with_system, write_chat
from .core import MAX_NEW_TOKENS
from .ears import share_hearing
from .events import Done, Event
from .reply import TOOL_CALL, Reply, ReplyFilter, control_tokens, read_calls
from .side_by_side import BatchDecoder, Begun, Heard, Row
from .spelling import mender
from .turns import ToolLoop

_AUDIO_ID = "audio_1"


@dataclass
class _Request:
    """A reply that a conversation waits for."""

    messages: list[Message]
    may_call: bool
    measured: bool
    raw: str = ""
    trim: Callable[[str], str] = str


class _Talk(NamedTuple):
    """A conversation to be answered, and the recording that it is about."""

    song: Heard
    messages: list[Message]


class BatchAssistant(ToolLoop):
    """A model that listens, asked about many recordings at once.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its `LlarkProcessor`.
        name: What the model is called in reports.
        max_new_tokens: Longest reply in tokens.
    """

    def __init__(
        self, model: Any, processor: Any, *, name: str = "", max_new_tokens: int = MAX_NEW_TOKENS
    ):
        config = model.config
        super().__init__(
            tools=config.tools or None,
            name=name,
            reads=config.tool_results,
            mend=mender(model),
        )
        self.max_new_tokens = max_new_tokens
        self._decoder = BatchDecoder(model, processor)
        self._request: _Request | None = None
        self._begun: dict[str, Begun | None] = {}

    def answer(self, songs: Sequence[Heard], questions: Sequence[str]) -> list[list[str]]:
        """Ask every question about every recording, each as a conversation of its own.

        Args:
            songs: Recordings with what the encoder of the model made of them.
            questions: What to ask about each.

        Returns:
            By recording, the answers in the order of the questions.

        Raises:
            ConfigError: A question is too long for the model.
        """
        self._decoder.open(songs)
        asked = [[_ask(song, question) for question in questions] for song in songs]
        self._begun = {
            song.audio.content_hash: self._begin(song, conversations)
            for song, conversations in zip(songs, asked, strict=True)
        }
        # Question by question, so that rows of one kind stand together where not all fit.
        talks = [
            _Talk(songs[i], asked[i][q]) for q in range(len(questions)) for i in range(len(songs))
        ]
        texts = self._answer_all(talks)
        self._forget()
        return [texts[i :: len(songs)] for i in range(len(songs))]

    def _forget(self) -> None:
        """Drop what belongs to these conversations: what was computed, and what tools made."""
        self._begun = {}
        self._decoder.open([])
        self._folder.cleanup()
        self._folder = TemporaryDirectory(prefix="llark-")

    def _begin(self, song: Heard, conversations: Sequence[list[Message]]) -> Begun | None:
        """Compute what all prompts about a recording begin with, if the recording is part of it."""
        chats = [write_chat(with_system(c, self._system_prompt)) for c in conversations]
        prompts = [self._decoder.prompt_ids(chat, self._schemas, [song.audio]) for chat in chats]
        ids = self._decoder.shared(prompts)
        if any(self._decoder.holds_audio(prompt[len(ids) :]) for prompt in prompts):
            return None
        return self._decoder.begin(ids, [song.audio])

    def _answer_all(self, talks: Sequence[_Talk]) -> list[str]:
        streams = [self.stream(talk.messages) for talk in talks]
        texts = [""] * len(talks)
        waiting = list(range(len(talks)))
        while waiting:
            requests: dict[int, _Request] = {}
            for i in waiting:
                # The tools of this conversation, if it calls any, listen with the model's encoder.
                share_hearing(self._decoder.model, *talks[i].song)
                texts[i], request = self._run_until_asked(streams[i])
                if request is not None:
                    requests[i] = request
            waiting = list(requests)
            if waiting:
                self._generate(list(requests.values()))
        return texts

    def _run_until_asked(self, stream: Iterator[Event]) -> tuple[str, _Request | None]:
        """Go on with a conversation until it waits for a reply, or is over."""
        self._request = None
        for event in stream:
            if isinstance(event, Done):
                return event.text.strip(), None
            if self._request is not None:
                return "", self._request
        raise RuntimeError("a conversation ended without an answer")

    def _generate(self, requests: Sequence[_Request]) -> None:
        """Generate all replies that are waited for."""
        decoder, rows = self._decoder, []
        for request in requests:
            request.messages, prompt, room = fit_context(
                decoder, request.messages, self._schemas, self.max_new_tokens
            )
            rows.append(Row(self._begun_of(request, prompt), prompt, room))
        for some in decoder.split(rows):
            total = decoder.total_length(rows[some])
            for request, row in zip(requests[some], rows[some], strict=True):
                self._constrain(request, row, total)
            for request, raw in zip(requests[some], decoder.reply(rows[some]), strict=True):
                request.raw = raw

    def _constrain(self, request: _Request, row: Row, prompt_length: int) -> None:
        row.constraints, request.trim = constrain_reply(
            self._decoder,
            request.messages,
            self._schemas,
            quotable_text(request.messages),
            prompt_length,
            measured=request.measured,
            may_call=request.may_call,
        )

    def _begun_of(self, request: _Request, prompt: list[int]) -> Begun:
        """Give what is computed of a prompt: what others share with it, or else all but its end."""
        audios = [part.audio for part in recordings(request.messages)]
        begun = self._begun[audios[0].content_hash]
        if begun is not None and prompt[: len(begun.ids)] == begun.ids:
            rest = prompt[len(begun.ids) :]
            if not self._decoder.holds_audio(rest):
                return begun
        return self._decoder.begin(prompt[:-1], audios)

    def _speak(
        self,
        messages: list[Message],
        reply: Reply,
        stop: Flag,
        *,
        may_call: bool,
        measured: bool,
    ) -> Iterator[str]:
        """Wait for a reply that is generated with those of others; see `ToolLoop`."""
        first_call = 1 + sum(len(message.tool_calls) for message in messages)
        request = self._request = _Request(messages, may_call, measured)
        yield ""  # here the others are waited for
        visible = ReplyFilter(control_tokens(self._decoder.tokenizer).values())
        visible.feed(request.raw)
        visible.finish(request.trim)
        if visible.shown:
            yield visible.shown
        if TOOL_CALL in visible.raw:
            read_calls(self._decoder.processor, visible, reply, first_call)

    def _check_room(self, messages: list[Message]) -> None:
        check_room(self._decoder, messages, self._schemas, self.max_new_tokens)


def _ask(song: Heard, question: str) -> list[Message]:
    return [user(question, AudioPart(_AUDIO_ID, song.audio))]
