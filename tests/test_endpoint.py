"""A language model behind an address: it reads notes, calls the tools, and fails clearly."""

from __future__ import annotations

import json
import logging
import threading

import pytest
from assistant_parts import noise
from chat_server import CUT, WAIT, ChatServer, Refusal, calls, piece, words

from llark_py import cli, tools
from llark_py.analysis.listening import listen_with
from llark_py.assistant import chat_api, events
from llark_py.assistant.chat_api import ChatApi
from llark_py.assistant.endpoint import EndpointAssistant
from llark_py.assistant.listener import Listener
from llark_py.assistant.ungrounded import ungrounded
from llark_py.audio import save_audio
from llark_py.encoders.base import Encoded
from llark_py.errors import ConfigError, EndpointError
from llark_py.messages import AudioPart, ToolResult, user

TEMPO = {"tempo_bpm": 90.1, "runner_up_bpm": 45.0, "beat_count": 24, "confidence": 0.93}
NOTE = "heard: 0:12; style funk; metre 4/4; players drums, singer?; enters drums 0:04; music"
SECRET = "sk-very-secret-0123456789"


class Ears:
    """An encoder that hears the same in everything."""

    class config:
        sample_rate = 1600

    def __init__(self):
        self.heard = 0

    def encode_recording(self, samples):
        self.heard += 1
        return Encoded(None, NOTE)


@pytest.fixture(autouse=True)
def own_ears():
    """Let no other test's tools listen with what a test here was given."""
    yield
    listen_with(None)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Wait for nothing, and leave proxies and keys of the machine aside."""
    monkeypatch.setattr(chat_api, "_WAITS_S", (0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(chat_api.KEY_VARIABLE, raising=False)


@pytest.fixture
def ran(monkeypatch):
    """Replace the measuring of the tempo by an instant result; list what was run."""
    ran = []

    def run_tool(name, arguments, audios, workspace, *, call_id=""):
        ran.append((name, dict(arguments)))
        if name != "estimate_tempo":
            return tools.run_tool(name, arguments, audios, workspace, call_id=call_id)
        workspace.progress(0.5, "half")
        return ToolResult(call_id, name, TEMPO)

    monkeypatch.setattr("llark_py.assistant.toolbox.run_tool", run_tool)
    return ran


@pytest.fixture
def server():
    with ChatServer().running() as server:
        yield server


def reader(server, *replies, timeout_s=20.0, **options):
    """Make an assistant whose model says what the test has scripted."""
    server.replies += replies
    return EndpointAssistant(
        ChatApi(server.url, "big", timeout_s=timeout_s), Listener(Ears()), **options
    )


def ask(text="How fast is it?", *, n_audio=1):
    return user(
        text,
        *(AudioPart(f"audio_{i + 1}", noise(seed=i), "secret name.mp3") for i in range(n_audio)),
    )


TEMPO_CALL = ("estimate_tempo", '{"audio": "audio_1"}')


# --- what is sent ---------------------------------------------------------------------------


def test_the_model_reads_the_note_the_rules_and_every_tool(server):
    assistant = reader(server, words("Funk."))
    assert assistant.ask([ask("What style is it?", n_audio=2)]).text == "Funk."
    (request,) = server.requests
    assert (request["model"], request["stream"]) == ("big", True)
    assert server.paths == ["/v1/chat/completions"]
    system, question = request["messages"]
    assert system["role"] == "system" and "You cannot hear" in system["content"]
    assert question["content"] == (
        f'<recording id="audio_1">{NOTE}</recording>\n'
        f'<recording id="audio_2">{NOTE}</recording>\nWhat style is it?'
    )
    assert request["tools"] == tools.schemas() and "tool_choice" not in request
    assert "secret name" not in json.dumps(request)
    assert "Authorization" not in server.headers[0]


def test_the_key_goes_to_the_endpoint_and_nowhere_else(server, monkeypatch, caplog, capsys):
    monkeypatch.setenv("LLARK_API_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    refusal = json.dumps({"error": {"message": f"bad key {SECRET}"}})
    assistant = reader(server, words("Yes."), Refusal(401, refusal))
    assert assistant.ask([ask()]).text == "Yes."
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    with pytest.raises(EndpointError, match=r"401.*LLARK_API_KEY is not accepted.*bad key \*\*\*"):
        assistant.ask([ask()])
    printed = capsys.readouterr()
    assert SECRET not in caplog.text + printed.out + printed.err + repr(assistant._api)


def test_a_second_question_remembers_the_first_and_hears_nothing_again(server, ran):
    assistant = reader(server, calls(TEMPO_CALL), words("It has 90.1."), words("A waltz? No."))
    first = assistant.ask([ask()])
    second = assistant.ask([ask(), *first.messages, user("Is it a waltz?")])
    assert second.text == "A waltz? No."
    assert assistant._listener._encoder.heard == 1
    sent = server.requests[2]["messages"]
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert json.loads(sent[3]["content"]) == TEMPO


# --- the loop -------------------------------------------------------------------------------


def test_a_call_in_pieces_is_run_and_its_result_goes_back(server, ran):
    assistant = reader(server, calls(TEMPO_CALL, size=3), words("It has ", "90.1 beats."))
    happened = list(assistant.stream([ask()]))
    names = [type(e).__name__ for e in happened]
    assert names == [
        "ToolStarted", "ToolProgress", "ToolFinished", "TextDelta", "TextDelta", "Done",
    ]  # fmt: skip
    assert ran == [("estimate_tempo", {"audio": "audio_1"})]
    done = happened[-1]
    assert done.text == "It has 90.1 beats." and done.ungrounded == ()
    *_, asked, told = server.requests[1]["messages"]
    assert asked["content"] is None
    assert asked["tool_calls"][0]["id"] == told["tool_call_id"] == "id_0"
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"audio": "audio_1"}
    assert (told["role"], json.loads(told["content"])) == ("tool", TEMPO)


def test_text_streams_while_the_reply_is_still_coming(server):
    assistant = reader(server, [{"delta": {"content": "\nFirst"}}, WAIT])
    stream = assistant.stream([ask()])
    assert next(stream) == events.TextDelta("First")
    stream.close()


def test_parallel_calls_are_all_answered_a_broken_one_with_an_error(server, ran):
    second = ("estimate_tempo", '{"audio": "audio_2"}')
    broken = calls(TEMPO_CALL, ("estimate_key", '{"audio": '), second)
    assistant = reader(server, broken, words("Done."))
    answer = assistant.ask([ask(n_audio=2)])
    assert [a["audio"] for _, a in ran] == ["audio_1", "audio_2"]
    assert "arguments are not valid JSON" in answer.tool_results[1].error
    told = [m for m in server.requests[1]["messages"] if m["role"] == "tool"]
    assert [m["tool_call_id"] for m in told] == ["id_0", "id_1", "id_2"]
    assert "not valid JSON" in told[1]["content"]


@pytest.mark.parametrize("arguments", ["[1]", "{" * 50, "[" * 100_000, '"audio_1"', "1" * 5000])
def test_malformed_arguments_go_back_to_the_model(server, ran, arguments):
    script = calls(("estimate_tempo", arguments), size=50_000)
    assistant = reader(server, script, words("I cannot."))
    answer = assistant.ask([ask()])
    assert ran == [] and "not valid" in answer.tool_results[0].error
    assert len(answer.tool_results[0].error) < 500
    assert answer.text == "I cannot."


def test_unknown_tools_and_wrong_arguments_go_back_to_the_model(server, ran):
    wrong = calls(("estimate_temp", "{}"), ("estimate_key", '{"audio": "/etc/passwd"}'))
    answer = reader(server, wrong, words("Sorry.")).ask([ask()])
    assert "Did you mean 'estimate_tempo'" in answer.tool_results[0].error
    assert "there is no recording" in answer.tool_results[1].error


def test_servers_that_number_calls_otherwise_are_understood(server, ran):
    def two(first, *ids):
        function = {"name": "estimate_tempo", "arguments": {"start_s": first}}
        other = {**function, "arguments": {"start_s": first + 1}}
        named = [{"index": 0, "id": i} for i in ids] or [{}, {}]
        both = zip(named, (function, other), strict=True)
        pieces = [piece({**name, "function": called}) for name, called in both]
        return [*pieces, {"finish_reason": "stop"}]

    assistant = reader(server, two(0, "a", "b"), two(2), two(4, "a", "b"), words("Done."))
    answer = assistant.ask([ask()])
    ids = [call.id for call in answer.tool_calls]
    assert len(ran) == 6 and ids[:2] == ["a", "b"] and len(set(ids)) == 6 and all(ids)


def test_a_server_that_does_not_stream_is_understood(server, ran):
    function = {"name": "estimate_tempo", "arguments": "{}"}
    message = {"role": "assistant", "tool_calls": [{"id": "x", "function": function}]}
    whole = [
        {"choices": [{"message": message, "finish_reason": "tool_calls"}]},
        {"choices": [{"message": {"content": "It has\n90.1."}, "finish_reason": "stop"}]},
    ]
    assistant = reader(server, *(Refusal(200, json.dumps(w, indent=1)) for w in whole))
    assert assistant.ask([ask()]).text == "It has\n90.1."


def test_tool_rounds_are_bounded(server, ran):
    rounds = [calls(("estimate_tempo", json.dumps({"start_s": second}))) for second in (0, 1)]
    assistant = reader(server, *rounds, words("Enough."), max_rounds=2)
    assert assistant.ask([ask()]).text == "Enough."
    assert len(ran) == 2
    assert [r.get("tool_choice") for r in server.requests] == [None, None, "none"]


def test_a_call_that_is_made_again_is_answered_without_tools(server, ran):
    assistant = reader(server, *[calls(TEMPO_CALL)] * 2, words("Enough."))
    assert assistant.ask([ask()]).text == "Enough."
    assert len(ran) == 1
    assert [r.get("tool_choice") for r in server.requests] == [None, None, "none"]


def test_a_model_that_never_answers_in_words_is_an_error(server, ran):
    assistant = reader(server, *[calls(TEMPO_CALL)] * 2, max_rounds=1)
    with pytest.raises(EndpointError, match=r"'big' does not answer in words.*more tools"):
        assistant.ask([ask()])
    with pytest.raises(EndpointError, match="finish_reason 'length'"):
        reader(server, [{"finish_reason": "length"}]).ask([ask()])


def test_without_tools_none_are_offered(server):
    assistant = reader(server, words("Yes."), tools=[])
    assert assistant.ask([ask()]).text == "Yes."
    assert not {"tools", "tool_choice"} & set(server.requests[0])


def test_a_reply_that_does_not_come_can_be_cancelled(server):
    assistant, cancel = reader(server, WAIT), threading.Event()
    threading.Timer(0.2, cancel.set).start()
    (done,) = assistant.stream([ask()], cancel=cancel)
    assert done == events.Done((), "", cancelled=True)
    assert not [t for t in threading.enumerate() if t.name.startswith("llark-")]


def test_it_works_while_an_event_loop_runs(server):
    import asyncio

    async def notebook():
        return reader(server, words("Yes.")).ask([ask()])

    assert asyncio.run(notebook()).text == "Yes."


# --- what is checked afterwards -------------------------------------------------------------


def test_numbers_that_nobody_gave_are_flagged(server, ran):
    said = "1. It has 90.1 beats in 4/4, drums from 0:04 (not 140), perhaps 118, in E minor."
    answer = reader(server, calls(TEMPO_CALL), words(said)).ask([ask("Is it 140?")])
    assert answer.ungrounded == ("118", "E minor")


@pytest.mark.parametrize(
    "text, flagged",
    [
        ("It is in G major, related to E minor.", ()),
        ("It is in G minor.", ("G minor",)),
        ("2. The second: 90.1.\n- 3) 90", ("90",)),
        ("audio_1 goes on to 2:41.", ()),
        ("At 2:40 and 2:40, 90.10.", ("2:40", "90.10")),
    ],
)
def test_ungrounded(text, flagged):
    source = '{"tempo_bpm": 90.1, "key": "G major"} audio_1 heard: 2:41'
    assert ungrounded(text, source) == flagged


def test_a_key_without_any_source_is_flagged_a_chord_is_not():
    assert ungrounded("In A minor, with an A minor chord.", "heard: 0:12") == ("A minor",)


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [Refusal(429, "{}", {"Retry-After": "0"}), Refusal(503), CUT])
def test_what_may_pass_is_tried_again(server, failure):
    assert reader(server, failure, failure, words("Yes.")).ask([ask()]).text == "Yes."
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "replies, message",
    [
        ([Refusal(401)], "401 Unauthorized .the key in LLARK_API_KEY is not set"),
        ([Refusal(404, '{"error": {"message": "no\\nsuch"}}')], "404.*ends in /v1.*'big'.*no such"),
        ([Refusal(400, '{"detail": [{"msg": "too long"}]}')], "400 Bad Request: .*too long"),
        ([Refusal(500, "<html>" + "x" * 9999)] * 3, r"500 Internal Server Error: <html>x+ \.\.\.$"),
        ([Refusal(302, headers={"Location": "http://10.0.0.1/"})], "302"),
        ([CUT] * 3, "cannot be reached"),
        ([Refusal(200, "<html>hello</html>")], "does not speak the chat protocol: <html>hello"),
        ([Refusal(200, "")], "does not speak the chat protocol$"),
        ([Refusal(200, '{"object": "error", "message": "boom"}')], "failed while.*: boom"),
        ([["{oops"]], "does not speak the chat protocol: {oops"),
        ([['{"choices": [{"delta": {"tool_calls": 5}}]}']], "does not speak the chat protocol"),
        ([['{"error": {"message": "out of memory"}}']], "failed while it answered: out of memory"),
        ([[{"delta": {"content": "It"}}, CUT]], "cut off"),
        ([[CUT]], "cut off"),
    ],
)
def test_failures_are_told_in_one_sentence(server, replies, message):
    with pytest.raises(EndpointError, match=message) as failure:
        reader(server, *replies).ask([ask()])
    assert "\n" not in str(failure.value) and len(str(failure.value)) < 600
    assert len(server.requests) == len(replies)


def test_an_endpoint_that_says_nothing_is_left(server):
    with pytest.raises(EndpointError, match=r"has sent nothing for 0.2 s"):
        reader(server, WAIT, timeout_s=0.2).ask([ask()])
    with pytest.raises(EndpointError, match=r"has sent nothing for 0.2 s"):
        reader(server, [{"delta": {"content": "It"}}, WAIT], timeout_s=0.2).ask([ask()])


def test_nobody_there():
    with ChatServer().running() as gone:
        pass
    with pytest.raises(EndpointError, match=r"cannot be reached: .*Does the server run"):
        reader(gone).ask([ask()])


@pytest.mark.parametrize(
    "url, message",
    [
        ("", "no address"),
        ("localhost:8000/v1", "no address"),
        ("ftp://127.0.0.1/v1", "no address"),
        ("http://me:pass@127.0.0.1/v1", "no user, password or query"),
        ("http://127.0.0.1/v1?key=pass", "no user, password or query"),
        ("http://[", "no address"),
        ("http://a..b/v1", "no address"),
        ("http://127.0.0.1:123456/v1", "no address"),
    ],
)
def test_addresses_are_checked(url, message):
    with pytest.raises(ConfigError, match=message) as failure:
        ChatApi(url, "big")
    assert "pass@" not in str(failure.value) and "key=" not in str(failure.value)


def test_a_broken_key_is_refused_without_being_told(monkeypatch):
    monkeypatch.setenv("LLARK_API_KEY", "sk-ab\ncd")
    with pytest.raises(ConfigError, match="LLARK_API_KEY") as failure:
        ChatApi("http://127.0.0.1/v1", "big")
    assert "sk-ab" not in str(failure.value)


# --- the whole way --------------------------------------------------------------------------


def test_the_real_ears_and_a_real_tool_hear_a_song_once(server, monkeypatch):
    from llark_py.assistant.endpoint import load_endpoint_assistant
    from llark_py.compose.clip import make_clip
    from llark_py.encoders.mini import MiniEncoder

    heard, listen = [], MiniEncoder.listen
    monkeypatch.setattr(MiniEncoder, "listen", lambda self, x: heard.append(1) or listen(self, x))
    _, audio = make_clip(3, 10.0, augment=False, sung=False, style="rock")
    server.replies += [calls(("estimate_tempo", "{}")), words("Measured.")]
    answer = load_endpoint_assistant(server.url, "big").ask(audio, "How fast is it?")
    assert answer.tool_results[0].content["tempo_bpm"] > 0
    assert len(heard) == 1
    note = server.requests[0]["messages"][1]["content"]
    assert note.startswith('<recording id="audio_1">heard: 0:10; ') and "music</rec" in note


def test_the_page_shows_what_nothing_backs(server):
    from llark_py.serve.visit import Visit

    visit = Visit()
    visit.song = AudioPart("audio_1", noise(), "song.mp3")
    assistant = reader(server, words("It has 118."), Refusal(400, '{"error": "no"}'))
    list(visit.ask(assistant, "How fast is it?"))
    assert [m["content"] for m in visit.shown[1:]] == [
        "It has 118.",
        "*Not from a tool, the listener or your question: 118.*",
    ]
    list(visit.ask(assistant, "And now?"))
    assert visit.shown[-1]["content"].endswith("400 Bad Request: no")


# --- the command line -----------------------------------------------------------------------


@pytest.fixture
def song(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("llark_py.encoders.mini.load_embedded", Ears)
    save_audio(noise(), tmp_path / "song.wav")
    return "song.wav"


def test_the_shell_asks_an_endpoint(server, ran, song, capsys):
    server.replies += [calls(TEMPO_CALL), words("It has 90.1 or 118.")] * 2
    where = ["--endpoint", server.url, "--endpoint-model", "big"]
    assert cli.main(["ask", song, "How fast is it?", *where]) == 0
    printed = capsys.readouterr()
    assert printed.out == "It has 90.1 or 118.\n"
    assert "[estimate_tempo]" in printed.err
    assert "not from a tool, the listener or the question: 118" in printed.err
    assert cli.main(["ask", "--json", song, "How fast is it?", *where]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["model"], line["ungrounded"]) == ("big", ["118"])


def test_failures_in_the_shell_are_one_line(server, song, capsys):
    server.replies.append(Refusal(401))
    where = ["--endpoint", server.url, "--endpoint-model", "big"]
    assert cli.main(["ask", song, "How fast is it?", *where]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("llark: ") and printed.count("\n") == 1 and "401" in printed


@pytest.mark.parametrize("command", [["ask", "song.wav", "How?"], ["chat"]])
@pytest.mark.parametrize(
    "options, message",
    [
        (["--endpoint", "http://127.0.0.1/v1"], "go together"),
        (["--endpoint-model", "big"], "go together"),
        (["--endpoint", "x", "--endpoint-model", "big", "--model", "y"], "not both"),
    ],
)
def test_options_that_do_not_fit_each_other(command, options, message, song, capsys):
    assert cli.main([*command, *options]) == 2
    assert message in capsys.readouterr().err
