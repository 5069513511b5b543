"""The hold music, composed and written out: six clips of ten seconds that play on as one quiet minute.

``python ivr/static/music/compose.py`` writes ``hold-1.wav`` to ``hold-6.wav`` beside this file: 8 kHz, mono,
mu-law, as the telephone carries it. Every clip begins and ends in silence at a bar line, so that it may
follow any other and an announcement may come between two. It is ours, made of nothing but sines.
"""

from __future__ import annotations

import math
import struct
from array import array
from pathlib import Path

RATE = 8_000
CLIP_S = 10.0
BEAT_S = 0.625
BAR_S = 4 * BEAT_S
LEVEL_DBFS = -20.0
TOP_HZ = 3_300.0
"""The telephone carries nothing above; a partial there would only fold back."""

OCTAVE = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

Bar = tuple[str, str, tuple[tuple[float, str, float], ...]]
"""Bass note, the chord as the pad holds it, and the melody as (beat, note, beats)."""

PIECE: tuple[tuple[Bar, ...], ...] = (
    (
        ("C3", "E4 G4 B4 D5", ()),
        ("A2", "E4 G4 C5", ((2, "E5", 2),)),
        ("F2", "E4 A4 C5", ((0, "D5", 1), (1, "C5", 3))),
        ("G2", "D4 G4 C5", ((1, "B4", 2),)),
    ),
    (
        ("C3", "E4 G4 B4 D5", ((1, "G5", 2),)),
        ("E3", "D4 G4 B4", ((0, "F#5", 1), (1, "D5", 2))),
        ("F2", "E4 A4 C5", ((1, "E5", 1), (2, "C5", 2))),
        ("G2", "D4 G4 B4", ((0, "D5", 2.5),)),
    ),
    (
        ("A2", "E4 G4 B4", ((1, "C5", 1), (2, "D5", 2))),
        ("E3", "D4 G4 B4", ((1, "E5", 2),)),
        ("F2", "F4 A4 C5", ((0, "A5", 1.5), (1.5, "G5", 2))),
        ("E3", "E4 G4 D5", ((0, "E5", 2.5),)),
    ),
    (
        ("D3", "F4 A4 C5 E5", ()),
        ("A2", "E4 G4 C5", ((1, "A4", 1), (2, "C5", 2))),
        ("A#2", "F4 A4 D5", ((0, "D5", 1), (1, "F5", 2.5))),
        ("G2", "D4 F4 C5", ((0, "C5", 1), (1, "D5", 1.5))),
    ),
    (
        ("C3", "E4 G4 B4 D5", ((2, "G4", 2),)),
        ("A2", "E4 G4 C5", ((1, "C5", 1), (2, "E5", 2))),
        ("F2", "E4 A4 C5", ((0, "G5", 1.5), (1.5, "E5", 2))),
        ("G2", "D4 G4 B4", ((1, "D5", 1.5),)),
    ),
    (
        ("D3", "F4 A4 C5", ((1, "F5", 1), (2, "E5", 2))),
        ("G2", "F4 G4 C5", ((0, "D5", 2.5),)),
        ("F2", "E4 A4 C5", ((1, "C5", 1), (2, "A4", 2))),
        ("C3", "E4 G4 D5", ((0, "C5", 2.5),)),
    ),
)

PAD = ((1, 1.0), (2, 0.22), (3, 0.07))
PLUCK = ((1, 1.0), (2, 0.32), (3, 0.06), (4, 0.08))
BASS = ((1, 0.35), (2, 0.6), (3, 0.32), (4, 0.14))
LEAD = ((1, 1.0), (2, 0.15), (3, 0.1))
"""How the instruments are made: partial and its loudness."""


def pitch(note: str) -> float:
    """The frequency of a note such as "F#5" in Hz; A4 is 440."""
    semitones = OCTAVE.index(note[:-1]) - OCTAVE.index("A") + 12 * (int(note[-1]) - 4)
    return 440.0 * 2 ** (semitones / 12)


def play(
    track: array[float],
    partials: tuple[tuple[int, float], ...],
    hertz: float,
    from_s: float,
    lasts_s: float,
    loudness: float,
    attack_s: float,
    decay_s: float = math.inf,
) -> None:
    """Add one note. It swells for ``attack_s``, fades by ``decay_s``, and is let go over half a second."""
    first, length = round(from_s * RATE), round(lasts_s * RATE)
    length = min(length, len(track) - first)
    release = max(1, min(length // 3, RATE // 2))
    for partial, share in partials:
        if partial * hertz > TOP_HZ:
            continue
        turn = 2 * math.pi * partial * hertz / RATE
        fade = math.exp(-partial / (decay_s * RATE))  # the bright partials go first
        level = loudness * share
        for i in range(length):
            swell = min(1.0, i / (attack_s * RATE))
            ending = min(1.0, (length - i) / release)
            shape = swell * swell * (3 - 2 * swell) * ending * ending * (3 - 2 * ending)
            track[first + i] += level * shape * math.sin(turn * i)
            level *= fade


def play_bar(track: array[float], bar: Bar, from_s: float, last: bool) -> None:
    """One bar: bass, pad, a rising and falling broken chord, and the melody. The last bar breathes out."""
    bass, chord, melody = bar
    notes = chord.split()
    play(track, BASS, pitch(bass), from_s, BAR_S, 0.30, 0.03, 1.6)
    for i, note in enumerate(notes):
        for detune in (-0.35, 0.35):  # two of each, a little apart: it shimmers
            pad_s = BAR_S + (0.0 if last else 0.6)
            play(track, PAD, pitch(note) + detune, from_s, pad_s, 0.085 - 0.008 * i, 0.55)
    rising = [*notes, *notes[-2:0:-1]]
    for step in range(5 if last else 8):
        note = rising[step % len(rising)]
        loudness = 0.15 if step % 4 == 0 else 0.11
        play(track, PLUCK, pitch(note), from_s + step * BEAT_S / 2, 1.2, loudness, 0.008, 0.55)
    for beat, note, beats in melody:
        play(track, LEAD, pitch(note), from_s + beat * BEAT_S, beats * BEAT_S, 0.15, 0.06, 1.8)


def in_a_room(dry: array[float]) -> array[float]:
    """A little reverberation: four combs side by side (Schroeder, 1962)."""
    wet = array("d", dry)
    for delay, feedback in ((239, 0.72), (283, 0.70), (317, 0.68), (353, 0.66)):
        line = array("d", bytes(8 * delay))
        damped = 0.0
        for i, sample in enumerate(dry):
            echo = line[i % delay]
            damped = 0.6 * echo + 0.4 * damped
            line[i % delay] = sample + feedback * damped
            wet[i] += 0.11 * echo
    return wet


def clip(bars: tuple[Bar, ...]) -> array[float]:
    """Four bars as samples, silent at both ends."""
    track = array("d", bytes(8 * round(CLIP_S * RATE)))
    for i, bar in enumerate(bars):
        play_bar(track, bar, i * BAR_S, last=i == len(bars) - 1)
    track = in_a_room(track)
    fade_in, fade_out = round(0.01 * RATE), round(0.4 * RATE)
    for i in range(fade_in):
        track[i] *= i / fade_in
    for i in range(fade_out):
        track[-1 - i] *= math.sin(math.pi / 2 * i / fade_out) ** 2
    return track


def mu_law(sample: int) -> int:
    """A 16-bit sample as ITU-T G.711 mu-law."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32_635) + 0x84
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def wav(samples: array[float]) -> bytes:
    """Samples (1.0 is full scale) as a WAVE file, format 7 (mu-law)."""
    sound = bytes(mu_law(round(sample * 32_767)) for sample in samples)
    form = struct.pack("<HHIIHHH", 7, 1, RATE, RATE, 1, 8, 0)
    fact = struct.pack("<I", len(sound))
    chunks = b"".join(
        name + struct.pack("<I", len(data)) + data
        for name, data in ((b"fmt ", form), (b"fact", fact), (b"data", sound))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def main() -> None:
    """Write the clips, all at one loudness."""
    clips = [clip(bars) for bars in PIECE]
    for i, samples in enumerate(clips, start=1):
        power = sum(sample * sample for sample in samples) / len(samples)
        gain = 10 ** (LEVEL_DBFS / 20) / math.sqrt(power)
        levelled = array("d", (sample * gain for sample in samples))
        (Path(__file__).parent / f"hold-{i}.wav").write_bytes(wav(levelled))


if __name__ == "__main__":
    main()
