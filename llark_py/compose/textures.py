"""Sounds of nature, machines and people that are not music, from noise, pulses and chirps."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter

NATURE = ("rain", "wind", "water", "birds", "insects", "dogs", "thunder", "fire")
MACHINES = ("engine", "motor", "clicks", "saw", "train")


def coloured(n: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls as frequency ** -slope (0 white, 0.5 pink, 1 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0 + 0.0005 * n) ** -slope
    return np.fft.irfft(spectrum, n)


def wandering(n: int, knots_a_second: float, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A slow random curve of mean about 1, never negative: (n,)."""
    knots = np.abs(rng.normal(1.0, 0.5, max(3, round(n / rate * knots_a_second) + 2)))
    return np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)


def band(samples: np.ndarray, low_hz: float, high_hz: float, rate: int) -> np.ndarray:
    """Keep a band of frequencies, 6 dB an octave on either side."""
    b, a = butter(1, (low_hz, min(high_hz, 0.45 * rate)), "bandpass", fs=rate)
    return lfilter(b, a, samples)


def applause(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Many hands that clap: short bursts, each pair of hands with its own pace."""
    claps = np.zeros(n)
    for _ in range(rng.integers(5, 60)):
        pace = rng.uniform(2.5, 5.0)
        times = np.cumsum(rng.normal(1 / pace, 0.03, int(n / rate * pace) + 2)) - rng.uniform(0, 1)
        places = (times * rate).astype(int)
        places = places[(places >= 0) & (places < n)]
        claps[places] += rng.uniform(0.2, 1.0) * rng.normal(1.0, 0.2, len(places))
    fall_s = rng.uniform(0.004, 0.012)
    decay = np.exp(-np.arange(round(0.05 * rate)) / (fall_s * rate))
    burst = rng.standard_normal(len(decay)) * decay
    sound = np.convolve(claps, burst)[:n]
    return band(sound, rng.uniform(400, 900), rng.uniform(2500, 6000), rate)


def nature(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """One or two sounds of `NATURE`: float64 (n,) of any level."""
    makers = {
        "rain": _rain,
        "wind": _wind,
        "water": _water,
        "birds": _birds,
        "insects": _insects,
        "dogs": _dogs,
        "thunder": _thunder,
        "fire": _fire,
    }
    return _mixed([makers[name] for name in _some(NATURE, rng)], n, rng, rate)


def machine(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """One or two sounds of `MACHINES`: float64 (n,) of any level."""
    makers = {
        "engine": _engine,
        "motor": _motor,
        "clicks": _clicks,
        "saw": _saw,
        "train": _train,
    }
    return _mixed([makers[name] for name in _some(MACHINES, rng)], n, rng, rate)


def _some(names: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    return [str(name) for name in rng.choice(names, 1 if rng.random() < 0.7 else 2, replace=False)]


def _mixed(makers: list, n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    out = np.zeros(n)
    for make in makers:
        sound = make(n, rng, rate)
        out += sound / (np.std(sound) + 1e-9) * 10 ** (-rng.uniform(0, 12) / 20)
    floor = coloured(n, rng.uniform(0.3, 1.0), rng)
    return out + floor / (np.std(floor) + 1e-9) * 10 ** (-rng.uniform(20, 50) / 20)


def _rain(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    drops = np.zeros(n)
    count = max(1, int(n / rate * rng.uniform(60, 600)))
    drops[rng.integers(0, n, count)] = rng.exponential(1.0, count)
    drops = band(drops, rng.uniform(600, 1500), rng.uniform(3000, 7000), rate)
    hiss = coloured(n, 0.3, rng)
    return drops / (np.std(drops) + 1e-9) + hiss / np.std(hiss) * rng.uniform(0.2, 1.0)


def _wind(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    rush = coloured(n, 0.8, rng) * wandering(n, 1.0, rng, rate)
    if rng.random() < 0.4:  # it whistles
        place = np.cumsum(rng.uniform(250, 700) * wandering(n, 0.7, rng, rate)) / rate
        rush = rush / np.std(rush) + 0.3 * np.sin(2 * np.pi * place) * wandering(n, 2.0, rng, rate)
    return rush


def _events(n: int, a_second: float, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Random moments, at least one: sample numbers in order."""
    return np.sort(rng.integers(0, n, max(1, rng.poisson(n / rate * a_second))))


def _placed(n: int, sounds: list[tuple[int, np.ndarray]]) -> np.ndarray:
    out = np.zeros(n)
    for at, sound in sounds:
        out[at : at + len(sound)] += sound[: n - at]
    return out


def _chirp(start_hz: float, end_hz: float, length_s: float, rate: int) -> np.ndarray:
    """A tone that glides, swelling and fading."""
    m = max(16, round(length_s * rate))
    hz = start_hz * (end_hz / start_hz) ** np.linspace(0, 1, m)
    return np.sin(2 * np.pi * np.cumsum(hz) / rate) * np.hanning(m)


def _water(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A brook: bubbles, whose pitch rises, over a rush."""
    bubbles = []
    for at in _events(n, rng.uniform(8, 60), rng, rate):
        hz = np.exp(rng.uniform(np.log(300), np.log(2500)))
        ring = _chirp(hz, hz * rng.uniform(1.05, 1.5), rng.uniform(0.01, 0.08), rate)
        bubbles.append((int(at), ring * rng.exponential(1.0)))
    sound, rush = _placed(n, bubbles), coloured(n, 0.4, rng) * wandering(n, 2.0, rng, rate)
    return sound / (np.std(sound) + 1e-9) + rush / np.std(rush) * rng.uniform(0.2, 1.5)


def _birds(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A few birds, each of which repeats its own phrase of glides and trills with pauses."""
    calls = []
    for _ in range(rng.integers(1, 4)):
        centre = np.exp(rng.uniform(np.log(1800), np.log(5500)))
        glides = rng.uniform(0.7, 1.4, (rng.integers(1, 5), 2))
        lengths = rng.uniform(0.03, 0.25, len(glides))
        repeats, gap_s = rng.integers(1, 7), rng.uniform(0.01, 0.12)
        level = rng.uniform(0.2, 1.0)
        at = rng.uniform(0, 1.5) * rate
        while at < n:
            for _ in range(repeats):
                for (low, high), length_s in zip(glides, lengths, strict=True):
                    top_hz = 0.45 * rate
                    ends = np.minimum(centre * rng.normal(1, 0.02) * np.array([low, high]), top_hz)
                    note = level * _chirp(ends[0], ends[1], length_s, rate)
                    if at < n:
                        calls.append((int(at), note))
                    at += len(note) + gap_s * rate
            at += rng.gamma(3.0, 0.4) * rate
    return _placed(n, calls)


def _insects(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Crickets and cicadas: high tones in quick pulses, in groups or without end."""
    time_s, out = np.arange(n) / rate, np.zeros(n)
    for _ in range(rng.integers(1, 5)):
        hz, pulses_hz = rng.uniform(2500, 7000), rng.uniform(15, 70)
        pulse = np.maximum(0, np.sin(2 * np.pi * (pulses_hz * time_s + rng.random()))) ** 2
        if rng.random() < 0.7:
            groups_hz, share = rng.uniform(0.7, 3.5), rng.uniform(0.2, 0.6)
            pulse = pulse * ((groups_hz * time_s + rng.random()) % 1 < share)
        tone = np.sin(2 * np.pi * hz * time_s)
        if rng.random() < 0.4:
            tone = band(rng.standard_normal(n), 0.8 * hz, 1.2 * hz, rate)
        out += rng.uniform(0.2, 1.0) * tone * pulse
    return out


def _dogs(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Barks (or howls): a harsh voice that falls, in groups."""
    hz, formant_hz = rng.uniform(180, 700), rng.uniform(700, 1800)
    barks, at = [], rng.uniform(0, 1.0) * rate
    while at < n:
        for _ in range(rng.integers(1, 5)):
            length_s = rng.uniform(0.09, 0.3)
            m = round(length_s * rate)
            pitch = hz * rng.normal(1, 0.06) * np.linspace(1.25, 0.75, m)
            place = np.cumsum(pitch) / rate % 1
            voice = (place < 0.3) - 0.3 + 0.3 * rng.standard_normal(m)
            bark = band(voice, 0.6 * formant_hz, 1.6 * formant_hz, rate) * np.hanning(m) ** 0.5
            if at < n:
                barks.append((int(at), bark * rng.uniform(0.5, 1.0)))
            at += m + rng.uniform(0.08, 0.5) * rate
        at += rng.gamma(2.0, 0.7) * rate
    return _placed(n, barks)


def _thunder(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    out = coloured(n, 0.6, rng)
    out *= 0.02 / np.std(out)
    for at in _events(n, 0.15, rng, rate):
        m = n - int(at)
        roll = coloured(m, 1.0, rng) * wandering(m, 4.0, rng, rate)
        out[at:] += (
            roll / (np.std(roll) + 1e-9) * np.exp(-np.arange(m) / (rng.uniform(1, 3) * rate))
        )
    return out


def _fire(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    crackle = np.zeros(n)
    places = _events(n, rng.uniform(10, 80), rng, rate)
    crackle[places] = rng.exponential(1.0, len(places)) ** 2
    crackle = band(crackle, rng.uniform(800, 2000), 7000, rate)
    roar = coloured(n, 0.9, rng) * wandering(n, 3.0, rng, rate)
    return crackle / (np.std(crackle) + 1e-9) + roar / np.std(roar) * rng.uniform(0.1, 0.8)


def _engine(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Combustion: uneven pulses through an exhaust, at a speed that wanders."""
    speed_hz = np.exp(rng.uniform(np.log(12), np.log(130)))
    speed = speed_hz * (1 + rng.uniform(0, 0.5) * (wandering(n, 0.5, rng, rate) - 1))
    place = np.cumsum(np.maximum(speed, 4.0)) / rate
    strokes = rng.normal(1.0, 0.15, int(place[-1]) + 2)
    pulses = np.diff(np.floor(place), prepend=0.0) * strokes[place.astype(int)]
    exhaust = band(pulses, rng.uniform(40, 100), rng.uniform(300, 1500), rate)
    noise = coloured(n, 0.5, rng) * (1 + np.cos(2 * np.pi * place))
    return exhaust / (np.std(exhaust) + 1e-9) + noise / np.std(noise) * rng.uniform(0.1, 0.7)


def _motor(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """An electric motor or a fan: a whine and its multiples, blades, air."""
    speed = rng.uniform(60, 400) * (1 + 0.02 * (wandering(n, 0.5, rng, rate) - 1))
    place = np.cumsum(speed) / rate
    out = np.zeros(n)
    for multiple in (1, 2, 3, int(rng.integers(5, 14))):
        out += rng.uniform(0.05, 1.0) / multiple**0.5 * np.sin(2 * np.pi * multiple * place)
    air = band(rng.standard_normal(n), rng.uniform(200, 800), rng.uniform(2000, 6000), rate)
    blades = 1 + rng.uniform(0, 0.6) * np.sin(2 * np.pi * place / rng.integers(3, 9))
    return out / np.std(out) * rng.uniform(0.2, 1.0) + air * blades / np.std(air)


def _clicks(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A keyboard, a clock or a relay: dry clicks, regular or not."""
    if rng.random() < 0.4:
        step = rate / rng.uniform(1, 12)
        places = (np.arange(rng.uniform(0, step), n, step)).astype(int)
    else:
        places = _events(n, rng.uniform(2, 10), rng, rate)
    m = round(0.03 * rate)
    decay = np.exp(-np.arange(m) / (rng.uniform(0.001, 0.006) * rate))
    tones = [np.sin(2 * np.pi * rng.uniform(500, 6000) * np.arange(m) / rate) for _ in range(3)]
    shapes = [decay * (tone + 0.7 * rng.standard_normal(m)) for tone in tones]
    return _placed(
        n, [(int(at), shapes[int(rng.integers(3))] * rng.uniform(0.4, 1)) for at in places]
    )


def _saw(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A saw, drill or vacuum cleaner: a rough high tone that labours, switched on and off."""
    load = wandering(n, 0.8, rng, rate)
    place = np.cumsum(rng.uniform(90, 350) * (1.2 - 0.2 * np.minimum(load, 2.0))) / rate
    rough = (place % 1 - 0.5) + rng.uniform(0.2, 1.5) * rng.standard_normal(n)
    out = band(rough, rng.uniform(300, 900), rng.uniform(2500, 7000), rate)
    return out * (0.05 + (wandering(n, 0.4, rng, rate) > rng.uniform(0.0, 0.9)))


def _train(n: int, rng: np.random.Generator, rate: int) -> np.ndarray:
    """Wheels over the joints of rails, in pairs, over a rumble."""
    step_s = rng.uniform(0.5, 1.2)
    times = np.arange(rng.uniform(0, step_s), n / rate, step_s)
    m = round(0.08 * rate)
    thud = coloured(m, 0.4, rng) * np.exp(-np.arange(m) / (0.015 * rate))
    gap_s = rng.uniform(0.08, 0.25) * step_s
    hits = [(int(t * rate), thud) for t in (*times, *(times + gap_s)) if t * rate < n]
    sound, rumble = _placed(n, hits), coloured(n, 0.9, rng)
    return sound / (np.std(sound) + 1e-9) + rumble / np.std(rumble) * rng.uniform(0.3, 1.2)
