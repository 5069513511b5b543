"""The wire inside one process: what is asked arrives, and what is answered comes back whole."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route

from drill.stage.inside import ask


async def test_a_file_comes_back_whole(tmp_path: Path) -> None:
    """A server that is told of a caller gone before the answer sends the head and no sound."""
    (tmp_path / "clip.wav").write_bytes(b"sound" * 50_000)

    async def clip(_request: object) -> FileResponse:
        return FileResponse(tmp_path / "clip.wav")

    app = Starlette(routes=[Route("/clip.wav", clip)])
    status, _, body = await ask(app, "GET", "/clip.wav", b"/clip.wav", b"", [], b"")
    assert (status, body) == (200, b"sound" * 50_000)
