"""The chat page: give it a song, ask, watch it listen and measure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Read when Gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from llark_py.audio import MAX_DURATION_S
from llark_py.errors import AudioError, ConfigError
from llark_py.messages import AudioPart

from .examples import compose_examples
from .visit import Answers, Visit

QUESTIONS = (
    "What do you hear?",
    "How fast is it?",
    "Which key is it in?",
    "Which chords are played?",
    "Which instruments play?",
    "Write down the notes.",
    "Separate the vocals.",
)
_MAX_UPLOAD = "300mb"
_FORGET_AFTER_S = 3600
_PLAYABLE = {".aac", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm"}
_STYLES = Path(__file__).with_name("page.css")
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Liberation Sans", "sans-serif")
_INTRO = """# llark
Give me a song and ask about it. I listen with a small music-language model and measure with
tools: **open a step to see where a number comes from.**"""
_WELCOME = "Pick, upload or record a song, then ask."


def build_app(assistant: Answers, examples: list[tuple[str, Path]] | None = None) -> gr.Blocks:
    """Build the page around an assistant.

    Args:
        assistant: Anything with the `stream` of `Assistant`; visitors take turns with it.
        examples: Title and path of songs to pick from; None composes them.
    """
    songs = compose_examples() if examples is None else examples

    def opened(visit: Visit, path: str | None, name: str | None = None) -> tuple[Any, ...]:
        """Take a song; what to show: player, chat, files, input places emptied."""
        if path is None:
            return gr.skip(), visit.shown, gr.skip(), None, None
        name = name or Path(path).name
        try:
            visit.open_song(path, name)
        except AudioError as error:
            _refuse(visit, error)
            return gr.skip(), visit.shown, gr.skip(), None, None
        return _show_song(visit.song, path), visit.shown, _files(visit), None, None

    def added(visit: Visit, path: str | None) -> tuple[Any, ...]:
        """Take a second song; what to show: its player, chat, files, where it was put."""
        if path is None:
            return gr.skip(), visit.shown, gr.skip(), None
        try:
            visit.open_other(path, Path(path).name)
        except AudioError as error:
            _refuse(visit, error)
            return gr.skip(), visit.shown, gr.skip(), None
        return _show_song(visit.other, path), visit.shown, _files(visit), gr.skip()

    def removed(visit: Visit) -> tuple[Any, ...]:
        visit.close_other()
        return gr.Audio(value=None, visible=False), visit.shown, _files(visit)

    def answered(visit: Visit, question: str) -> Iterator[tuple[Any, ...]]:
        """Answer a question; what to show: chat, files, question emptied."""
        question = question.strip()
        if not question:
            yield visit.shown, gr.skip(), ""
            return
        for _ in visit.ask(assistant, question):
            yield visit.shown, _files(visit), ""

    def cleared(visit: Visit) -> tuple[Any, ...]:
        visit.clear()
        return visit.shown, _files(visit)

    with gr.Blocks(
        title="llark", analytics_enabled=False, delete_cache=(_FORGET_AFTER_S, _FORGET_AFTER_S)
    ) as page:
        visit = gr.State(Visit(), time_to_live=_FORGET_AFTER_S)
        gr.Markdown(_INTRO)
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                with gr.Tabs():
                    with gr.Tab("Upload"):
                        upload = gr.File(
                            label=f"A song, up to {MAX_DURATION_S / 60:.0f} minutes",
                            height=170,
                            elem_id="upload",
                        )
                    with gr.Tab("Record"):
                        microphone = gr.Audio(
                            sources=["microphone"], type="filepath", label="Play or sing"
                        )
                    with gr.Tab("Examples"):
                        picks = [gr.Button(title, size="sm") for title, _ in songs]
                player = gr.Audio(
                    interactive=False,
                    label="No song yet",
                    elem_id="player",
                    buttons=["download"],
                )
                with gr.Accordion("A second song, to compare", open=False):
                    second = gr.File(show_label=False, height=110, elem_id="second")
                    other = gr.Audio(
                        interactive=False, visible=False, elem_id="other", buttons=["download"]
                    )
                made = gr.File(
                    label="Files made",
                    file_count="multiple",
                    interactive=False,
                    visible=False,
                    elem_id="made",
                )
            with gr.Column(scale=3, min_width=340):
                chat = gr.Chatbot(
                    show_label=False,
                    height="58vh",
                    placeholder=_WELCOME,
                    buttons=["copy"],
                    feedback_options=None,
                    elem_id="chat",
                )
                with gr.Row(elem_id="questions"):
                    buttons = [gr.Button(q, size="sm", min_width=60) for q in QUESTIONS]
                with gr.Row(equal_height=True):
                    question = gr.Textbox(
                        show_label=False,
                        container=False,
                        placeholder="Ask about the song …",
                        max_length=1000,
                        scale=6,
                        submit_btn=True,
                        elem_id="question",
                    )
                    clear = gr.Button("New conversation", size="sm", scale=1, min_width=130)

        # One answer at a time: the model is shared. Everyone else waits in Gradio's queue.
        alone: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model"}
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        shows = [chat, made, question]
        answering = [question.submit(answered, [visit, question], shows, **alone, **quiet)]
        answering += [b.click(answered, [visit, b], shows, **alone, **quiet) for b in buttons]
        # A new song or a new conversation ends the answer that is on its way.
        stops: dict[str, Any] = {"cancels": answering, **quiet, "show_progress": "minimal"}
        song_shows = [player, chat, made, upload, microphone]
        upload.upload(opened, [visit, upload], song_shows, **stops)
        microphone.stop_recording(
            lambda visit, path: opened(visit, path, "recording"),
            [visit, microphone],
            song_shows,
            **stops,
        )
        for button, (title, path) in zip(picks, songs):
            button.click(
                lambda visit, path=str(path), title=title: opened(visit, path, title),
                [visit],
                song_shows,
                **stops,
            )
        second.upload(added, [visit, second], [other, chat, made, second], **stops)
        second.clear(removed, [visit], [other, chat, made], **stops)
        clear.click(cleared, [visit], [chat, made], **stops)
        chat.clear(cleared, [visit], [chat, made], **stops)
    return page


def launch(
    assistant: Answers,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    wait: bool = True,
) -> tuple[gr.Blocks, str]:
    """Open the page and print its address.

    Args:
        assistant: Who answers.
        host: Address to listen on; `0.0.0.0` lets other machines in.
        port: Port to listen on; None takes the first free one from 7860.
        wait: Whether to serve until interrupted, or return while the page serves on.

    Returns:
        The page and its address.

    Raises:
        ConfigError: The port is taken.
    """
    examples = compose_examples()
    page = build_app(assistant, examples)
    address = serve(page, host, port, [path.parent for _, path in examples[:1]])
    print(f"llark listens at {address} (Ctrl+C ends it)", flush=True)
    if wait:
        page.block_thread()
    return page, address


def serve(page: gr.Blocks, host: str, port: int | None, folders: list[Path]) -> str:
    """Start serving a page in the background.

    Args:
        page: What `build_app` gave.
        host: Address to listen on.
        port: Port to listen on; None takes the first free one from 7860.
        folders: Folders whose songs the page may show.

    Returns:
        The page's address.

    Raises:
        ConfigError: The port is taken.
    """
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            show_error=True,
            share=False,
            inbrowser=False,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            max_file_size=_MAX_UPLOAD,
            allowed_paths=[str(folder) for folder in folders],
            theme=_theme(),
            css_paths=_STYLES,
        )
    except OSError as error:
        raise ConfigError(f"the page cannot listen on {host}:{port}: {error}") from error
    return address


def _theme() -> gr.themes.Base:
    theme = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", font=_FONTS, font_mono=("monospace",)
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_border_width="1px",
        block_border_width_dark="1px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_shadow="none",
        block_label_text_color="*neutral_500",
        block_label_text_color_dark="*neutral_400",
        block_label_text_weight="500",
    )


def _refuse(visit: Visit, error: AudioError) -> None:
    """Say why a file is not taken: at once, and in the chat, where it stays."""
    gr.Warning(str(error), title="This cannot be played")
    visit.complain(str(error))


def _show_song(song: AudioPart | None, path: str) -> gr.Audio:
    """Show a song: the file itself where a browser plays it, else its samples."""
    assert song is not None
    value: Any = path
    if Path(path).suffix.lower() not in _PLAYABLE:
        value = song.audio.sample_rate, song.audio.samples.T
    label = f"{song.name} · {song.audio.duration_s:.0f} s"
    return gr.Audio(value=value, label=label, visible=True)


def _files(visit: Visit) -> gr.File:
    return gr.File(value=list(visit.files), visible=bool(visit.files))
