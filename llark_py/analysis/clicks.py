"""Click tracks: a recording with a click on every beat, to hear whether the beats are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llark_py.audio import Audio
from llark_py.librosa_import import load_librosa

_BEAT_HZ, _DOWNBEAT_HZ = 1000.0, 2000.0
_CLICK_S = 0.05
_SONG_PEAK, _CLICK_PEAK = 0.6, 0.4  # together they stay within full scale


def mix_clicks(audio: Audio, beats_s: Sequence[float], downbeats_s: Sequence[float]) -> Audio:
    """Mix clicks into a recording: 1 kHz on beats, an octave higher on downbeats.

    Args:
        audio: Any rate, mono or stereo, not silent; its peak is brought to 0.6.
        beats_s: Seconds.
        downbeats_s: Seconds; those of the beats that begin a bar.
    """
    clicks = load_librosa("core.audio").clicks

    others = np.setdiff1d(np.asarray(beats_s), np.asarray(downbeats_s))
    track = np.zeros(audio.n_samples)
    for times_s, hertz in ((others, _BEAT_HZ), (np.asarray(downbeats_s), _DOWNBEAT_HZ)):
        if len(times_s):
            track += clicks(
                times=times_s,
                sr=audio.sample_rate,
                click_freq=hertz,
                click_duration=_CLICK_S,
                length=audio.n_samples,
            )
    song = audio.samples * (_SONG_PEAK / np.abs(audio.samples).max())
    return Audio(song + _CLICK_PEAK * track.astype(np.float32), audio.sample_rate)
