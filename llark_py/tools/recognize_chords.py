"""The tool that recognises the chords of a recording and writes them as a sheet and as MIDI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from llark_py.analysis.chords import NO_CHORD, measure_chords, write_chord_midi
from llark_py.analysis.excerpt import begins_s
from llark_py.audio import Audio
from llark_py.instruct.facts import chord_symbol
from llark_py.theory import roman_numeral
from llark_py.track import Chord

from ._chord_sheet import write_sheet
from ._result import as_confidence, detail
from ._workspace import Workspace

_MOST_COMMON = 4


@dataclass(frozen=True)
class Chords:
    """The main progression in chord symbols and in degrees of the key, the chords at both ends, how
    many there are, the id of the MIDI file; how many chords follow each other, those that sound
    longest, every chord in Harte syntax, and a chord sheet."""

    progression: str
    degrees: str
    key: str
    first_chord: str
    last_chord: str
    different_count: int
    confidence: float
    midi: str
    chord_count: int = detail()
    common_chords: str = detail()
    chords: tuple[Chord, ...] = detail()
    sheet: str = detail()


def recognize_chords(
    audio: Audio,
    workspace: Workspace,
    start_s: float = 0.0,
    end_s: float | None = None,
    last_s: float | None = None,
) -> Chords:
    """Recognise the chords of a recording and make a chord sheet and a MIDI file of them.

    Args:
        audio: Id of the recording, such as audio_1.
        start_s: Where to begin, in seconds.
        end_s: Where to end, in seconds; leave it out for the end of the recording.
        last_s: Instead of both: how many seconds at the end of the recording are meant.

    Returns:
        The main progression such as 'C - G - Am - F' and its degrees in the key, the first and the
        last chord, how many different ones there are, a confidence from 0 to 1, and the id of the
        MIDI file.
    """
    workspace.progress(0.0, "recognising the chords")
    found = measure_chords(audio, begins_s(audio, start_s, end_s, last_s), end_s)
    midi = workspace.new_artefact("midi", "chords.mid", "audio/midi")
    write_chord_midi(found.chords, found.key, midi.path)
    named = [c for c in found.chords if c.label != NO_CHORD]
    symbols = [str(chord_symbol(c.label, found.key)) for c in named]
    lasting: Counter[str] = Counter()
    for chord, symbol in zip(named, symbols, strict=True):
        lasting[symbol] += round(1000 * (chord.end_s - chord.start_s))
    cycle = _cycle([c.label for c in named])
    return Chords(
        progression=" - ".join(str(chord_symbol(label, found.key)) for label in cycle),
        degrees=" ".join(roman_numeral(label, found.key) for label in cycle),
        key=found.key,
        first_chord=symbols[0],
        last_chord=symbols[-1],
        different_count=len(lasting),
        confidence=as_confidence(found.confidence),
        midi=midi.id,
        chord_count=len(named),
        common_chords=", ".join(symbol for symbol, _ in lasting.most_common(_MOST_COMMON)),
        chords=tuple(Chord(round(c.start_s, 3), round(c.end_s, 3), c.label) for c in found.chords),
        sheet=write_sheet(found.chords, found.bars_s, found.key),
    )


def _cycle(labels: Sequence[str]) -> list[str]:
    """Give the chords that return in the same order, or else the first ones."""
    from llark_py.encoders.mini_chords import fold_cycle

    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    sequence = [
        numbers[label] for i, label in enumerate(labels) if i == 0 or label != labels[i - 1]
    ]
    cycle, _ = fold_cycle(sequence)
    names = list(numbers)
    return [names[number] for number in cycle]
