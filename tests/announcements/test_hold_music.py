"""The clips as they are in the tree: the wait loop counts on their length, the caller on their quiet ends."""

from __future__ import annotations

import importlib.util
import math
import struct
from pathlib import Path
from types import ModuleType

import pytest

from announcements.pacing import Pacing

MUSIC = Path(__file__).parents[2] / "ivr" / "static" / "music"
CLIPS = sorted(MUSIC.glob("hold-*.wav"))


@pytest.fixture(scope="module")
def composer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compose", MUSIC / "compose.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def level_dbfs(sound: bytes) -> float:
    power = sum(linear(byte) ** 2 for byte in sound) / len(sound)
    return 10 * math.log10(power / 32_768**2 + 1e-12)


def linear(byte: int) -> int:
    """A mu-law byte as a 16-bit sample, by ITU-T G.711."""
    byte = ~byte & 0xFF
    magnitude = ((byte & 0x0F) << 3 | 0x84) << (byte >> 4 & 0x07)
    return (0x84 - magnitude) if byte & 0x80 else (magnitude - 0x84)


def chunks(wave: bytes) -> dict[bytes, bytes]:
    assert wave[:4] == b"RIFF"
    assert wave[8:12] == b"WAVE"
    assert struct.unpack("<I", wave[4:8])[0] == len(wave) - 8
    found, at = {}, 12
    while at < len(wave):
        length = struct.unpack("<I", wave[at + 4 : at + 8])[0]
        found[wave[at : at + 4]] = wave[at + 8 : at + 8 + length]
        at += 8 + length
    return found


def test_there_is_a_minute_of_it():
    assert len(CLIPS) == 6


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_a_clip_is_what_the_telephone_carries_and_as_long_as_the_pacing_says(clip: Path):
    parts = chunks(clip.read_bytes())
    form, channels, rate, _, block, bits = struct.unpack("<HHIIHH", parts[b"fmt "][:16])
    assert (form, channels, rate, block, bits) == (7, 1, 8_000, 1, 8)
    assert len(parts[b"data"]) / rate * 1000 == Pacing().clip_ms


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_a_clip_is_calm_and_joins_the_next_without_a_click(clip: Path):
    sound = chunks(clip.read_bytes())[b"data"]
    assert -20.5 < level_dbfs(sound) < -19.5
    assert max(abs(linear(byte)) for byte in sound) < 20_000
    assert all(abs(linear(byte)) < 200 for byte in (*sound[:3], *sound[-40:]))


def test_mu_law_is_itu_s(composer: ModuleType):
    assert [composer.mu_law(sample) for sample in (0, 32_767, -32_768, 132)] == [0xFF, 0x80, 0x00, 0xEF]
    for sample in range(-32_600, 32_600, 37):
        assert abs(linear(composer.mu_law(sample)) - sample) <= max(8, abs(sample) / 16)


def test_notes_are_tuned_to_the_common_a(composer: ModuleType):
    assert composer.pitch("A4") == 440
    assert composer.pitch("C3") == pytest.approx(130.81, abs=0.01)
