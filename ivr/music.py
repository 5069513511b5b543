"""The music on hold: which clips there are. Each is one ``pacing.clip_ms`` long."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "music"

CLIPS = tuple(sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".mp3", ".wav")))
"""File names, in the order they are played."""
