"""The chat page in a real browser, and what a visit does without one."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event as Flag

import numpy as np
import pytest

from llark_py.assistant.events import (
    ArtefactReady,
    Done,
    Event,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
)
from llark_py.audio import Audio, save_audio
from llark_py.errors import AudioError, ToolError
from llark_py.messages import AudioPart, Message, ToolCall, ToolResult, assistant
from llark_py.serve.app import build_app, serve
from llark_py.serve.examples import compose_examples
from llark_py.serve.visit import NO_SONG, Visit, summary
from llark_py.tools import Artefact

REAL_SONGS = Path(__file__).parents[2] / "shared" / "real" / "audio"
MINI = Path(__file__).parents[1] / "llark_py" / "assets" / "mini" / "config.json"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SCREENSHOT = os.environ.get("LLARK_SCREENSHOT")  # path of a .png to write
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class ScriptedAssistant:
    """Answers the speed from a tool and makes a file, like the real one but without a model."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.heard: list[list[Message]] = []

    def stream(self, messages: Sequence[Message], *, cancel: Flag | None = None) -> Iterator[Event]:
        self.heard.append(list(messages))
        self.cancel = cancel
        question = messages[-1].text
        if "break" in question:
            raise ToolError("the model lost its thread")
        call = ToolCall("call_1", "estimate_tempo", {"audio": "audio_1"})
        yield ToolStarted(call)
        yield ToolProgress(call, 0.5, "counting")
        result = ToolResult("call_1", "estimate_tempo", {"tempo_bpm": 90.1, "confidence": 0.93})
        yield ToolFinished(call, result)
        path = self.folder / "artefact_1.mid"
        path.write_bytes(b"MThd")
        yield ArtefactReady(Artefact("artefact_1", "midi", "notes.mid", "audio/midi", path))
        for word in ("It runs ", "at ", "90.1 ", "BPM."):
            yield TextDelta(word)
        text = "It runs at 90.1 BPM."
        yield Done((assistant(text),), text)


def click_track(path: Path, tempo_bpm: float = 90.0) -> Path:
    """Write twelve seconds of clicks over a soft chord."""
    rate, duration_s = 22050, 12.0
    time_s = np.arange(round(rate * duration_s)) / rate
    since_click_s = time_s % (60 / tempo_bpm)
    clicks = np.sin(2 * np.pi * 1000 * time_s) * np.exp(-since_click_s * 60)
    chord = sum(np.sin(2 * np.pi * f * time_s) for f in (174.6, 220.0, 261.6)) / 20
    save_audio(Audio(np.clip(0.6 * clicks + chord, -1, 1), rate), path)
    return path


@pytest.fixture(scope="module")
def example_songs(tmp_path_factory) -> list[tuple[str, Path]]:
    return compose_examples(tmp_path_factory.mktemp("examples"))


# --- without a browser ----------------------------------------------------------------------


def test_visit_streams_steps_words_and_files(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    visit.open_song(str(click_track(tmp_path / "a.wav")), "My song.wav")
    seen = [
        (len(visit.shown), str(visit.shown[-1]["content"]))
        for _ in visit.ask(scripted, "How fast is it?")
    ]
    asked, step, answer = visit.shown
    assert asked == {"role": "user", "content": "How fast is it?"}
    assert step["metadata"]["title"] == "Estimate tempo"
    assert step["metadata"]["status"] == "done"
    assert step["metadata"]["log"] == "tempo bpm 90.1, confidence 0.93"
    assert '"tempo_bpm": 90.1' in step["content"]
    assert answer["content"] == "It runs at 90.1 BPM."
    assert (2, "counting (50%)") in seen and (3, "It runs at ") in seen
    assert Path(visit.files[0]).name == "My song - notes.mid"


def test_song_travels_once_and_the_conversation_is_kept(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    for question in ("How fast?", "And again?"):
        list(visit.ask(scripted, question))
    first, second = scripted.heard
    assert [len(m.audios) for m in first] == [1]
    assert [(m.role, len(m.audios)) for m in second] == [("user", 1), ("assistant", 0), ("user", 0)]
    visit.clear()
    list(visit.ask(scripted, "How fast?"))
    assert [len(m.audios) for m in scripted.heard[-1]] == [1]


def test_a_second_song_goes_with_the_next_question(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    list(visit.ask(scripted, "How fast?"))
    visit.open_other(str(click_track(tmp_path / "b.wav", 120.0)), "b.wav")
    assert len(visit.messages) == 2, "the conversation goes on"
    for question in ("Which is faster?", "Sure?"):
        list(visit.ask(scripted, question))
    asked = [m for m in scripted.heard[-1] if m.role == "user"]
    assert [[(p.id, p.name) for p in m.audios] for m in asked] == [
        [("audio_1", "a.wav")],
        [("audio_2", "b.wav")],
        [],
    ]
    visit.open_other(str(click_track(tmp_path / "c.wav", 100.0)), "c.wav")
    assert visit.messages == [], "another one in its place begins anew"
    list(visit.ask(scripted, "Which is faster?"))
    assert [p.name for p in scripted.heard[-1][0].audios] == ["a.wav", "c.wav"]
    visit.close_other()
    list(visit.ask(scripted, "How fast?"))
    assert [p.name for p in scripted.heard[-1][0].audios] == ["a.wav"]


def test_a_second_song_gets_a_number_that_no_clip_has(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    list(visit.ask(scripted, "Cut it."))
    visit.messages.append(Message("user", (AudioPart("audio_2", visit.song.audio.slice(0, 5)),)))
    visit.open_other(str(click_track(tmp_path / "b.wav")), "b.wav")
    list(visit.ask(scripted, "Which is faster?"))
    assert [part.id for part in scripted.heard[-1][-1].audios] == ["audio_3"]


def test_visitors_share_nothing(tmp_path):
    import copy

    one = Visit()
    two = copy.deepcopy(one)
    one.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    list(one.ask(ScriptedAssistant(tmp_path), "How fast?"))
    assert two.song is None and two.shown == [] and two.messages == [] and two.files == []


def test_question_without_song_is_not_put_to_the_model(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    list(visit.ask(scripted, "How fast is it?"))
    assert visit.shown[-1]["content"] == NO_SONG and scripted.heard == []


def test_failure_is_shown_and_the_visit_goes_on(tmp_path):
    visit, scripted = Visit(), ScriptedAssistant(tmp_path)
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    list(visit.ask(scripted, "please break"))
    assert visit.shown[-1]["content"] == "**Sorry:** the model lost its thread"
    list(visit.ask(scripted, "How fast?"))
    assert [m.text for m in scripted.heard[-1]] == ["How fast?"], "the failed turn left no trace"


def test_bad_song_changes_nothing(tmp_path):
    visit = Visit()
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    kept = visit.song
    (tmp_path / "notes.txt").write_text("la la la")
    with pytest.raises(AudioError, match="is a text file"):
        visit.open_song(str(tmp_path / "notes.txt"), "notes.txt")
    assert visit.song is kept


def test_answer_on_its_way_is_stopped_and_does_not_reach_a_new_conversation(tmp_path):
    visit = Visit()
    visit.open_song(str(click_track(tmp_path / "a.wav")), "a.wav")
    scripted = ScriptedAssistant(tmp_path)
    on_its_way = visit.ask(scripted, "How fast?")
    next(on_its_way), next(on_its_way)
    visit.clear()
    assert scripted.cancel is not None and scripted.cancel.is_set()
    list(on_its_way)
    assert visit.shown == [] and visit.messages == [] and visit.files == []


def test_summary_stays_short():
    line = summary({f"number_{i}": i for i in range(40)}, 60)
    assert len(line) <= 63 and line.endswith(", …") and line.startswith("number 0 0, number 1 1")


def test_examples_are_composed_once(example_songs):
    songs = example_songs
    assert len(songs) >= 3 and all(path.suffix == ".ogg" for _, path in songs)
    before = [path.stat().st_mtime_ns for _, path in songs]
    assert [p.stat().st_mtime_ns for _, p in compose_examples(songs[0][1].parent)] == before


# --- in a browser ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_address(tmp_path_factory, example_songs) -> Iterator[str]:
    """The page on a free port: with the embedded model where it is, else with a scripted one."""
    folder = tmp_path_factory.mktemp("page")
    if MINI.is_file():
        from llark_py.assistant.core import load_assistant

        answers = load_assistant()
    else:
        answers = ScriptedAssistant(folder)
    app = build_app(answers, example_songs)
    yield serve(app, "127.0.0.1", None, [example_songs[0][1].parent])
    app.close()


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, headless."""
    if not Path(CHROMIUM).is_file():
        message = "Chromium is not installed (apt-get install chromium)"
        if os.environ.get("LLARK_REQUIRE_BROWSER"):
            pytest.fail(f"{message}, and LLARK_REQUIRE_BROWSER is set")
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_OPTIONS, headless=True
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, page_address):
    """The page, opened; fails if it asks anything of another machine or its script breaks."""
    tab = browser.new_page(viewport={"width": 1200, "height": 860})
    foreign: list[str] = []
    broken: list[str] = []
    tab.on(
        "request",
        lambda r: (
            None if re.match(r"(http://127\.0\.0\.1|blob:|data:)", r.url) else foreign.append(r.url)
        ),
    )
    tab.on("pageerror", lambda e: broken.append(str(e)))
    tab.goto(page_address)
    tab.get_by_text("Give me a song and ask about it").wait_for(timeout=30_000)
    yield tab
    tab.close()
    assert foreign == [], "the page asked other machines"
    assert broken == []


def upload(page, path: Path) -> None:
    page.locator("#upload input[type=file]").set_input_files(str(path))


def ask(page, question: str) -> None:
    field = page.locator("#question textarea")
    field.fill(question)
    field.press("Enter")


def answers(page) -> list[str]:
    return page.locator("#chat .bot.message").all_inner_texts()


def wait_for_answer(page, pattern: str, timeout_s: float = 60.0) -> str:
    """Wait until a message of the assistant matches, and give it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for text in answers(page):
            if re.search(pattern, text, re.DOTALL):
                return text
        page.wait_for_timeout(150)
    raise AssertionError(f"no answer matches {pattern!r}; on the page: {answers(page)}")


@pytest.mark.browser
def test_uploaded_song_is_answered_from_a_tool(page, tmp_path):
    song = REAL_SONGS / "trumpet_90bpm_F.ogg"
    if not song.is_file():
        song = click_track(tmp_path / "clicks.ogg")
    upload(page, song)
    page.get_by_text(re.compile(rf"{re.escape(song.name)} · \d+ s")).wait_for(timeout=30_000)
    ask(page, "How fast is it?")
    # The step is shown, and the number it found comes again in the words below it.
    wait_for_answer(page, r"Estimate tempo.*tempo bpm (\d+(?:\.\d+)?)\b.*\b\1\b")
    if SCREENSHOT:
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENSHOT)


@pytest.mark.browser
def test_bad_upload_is_explained_and_the_page_survives(page, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("These are words.\n")
    upload(page, notes)
    wait_for_answer(page, r"'notes\.txt' is a text file; give a recording as wav")
    upload(page, click_track(tmp_path / "clicks.wav"))
    page.get_by_text("clicks.wav · 12 s").wait_for(timeout=30_000)
    page.get_by_role("button", name="How fast is it?").click()
    wait_for_answer(page, r"\d+(\.\d+)?.*(BPM|beats)")


@pytest.mark.browser
def test_example_can_be_picked_and_cleared(page):
    page.get_by_role("tab", name="Examples").click()
    page.get_by_role("button", name="A folk tune").click()
    page.get_by_text("A folk tune · 20 s").wait_for(timeout=30_000)
    ask(page, "How fast is it?")
    wait_for_answer(page, r"\d+(\.\d+)?.*(BPM|beats)")
    page.get_by_role("button", name="New conversation").click()
    page.get_by_text("then ask.").wait_for(timeout=10_000)


@pytest.mark.browser
def test_a_second_song_can_be_added_and_taken_away(page, tmp_path):
    upload(page, click_track(tmp_path / "mine.wav"))
    page.get_by_text("mine.wav · 12 s").wait_for(timeout=30_000)
    page.get_by_role("button", name="A second song, to compare").click()
    place = page.locator("#second")
    place.locator("input[type=file]").set_input_files(str(click_track(tmp_path / "theirs.wav")))
    page.get_by_text("theirs.wav · 12 s").wait_for(timeout=30_000)
    ask(page, "How fast is it?")
    wait_for_answer(page, r"\d+(\.\d+)?.*(BPM|beats)")
    place.get_by_role("button", name="Clear").first.click()
    page.get_by_text("theirs.wav · 12 s").wait_for(state="hidden", timeout=10_000)
    page.get_by_text("then ask.").wait_for(timeout=10_000)


@pytest.mark.browser
def test_two_visitors_do_not_see_each_other(page, browser, page_address, tmp_path):
    upload(page, click_track(tmp_path / "mine.wav"))
    page.get_by_text("mine.wav · 12 s").wait_for(timeout=30_000)
    other = browser.new_context().new_page()
    other.goto(page_address)
    ask(other, "How fast is it?")
    wait_for_answer(other, "Give me a song first")
    assert other.get_by_text("mine.wav").count() == 0
    assert answers(page) == []
    other.context.close()
