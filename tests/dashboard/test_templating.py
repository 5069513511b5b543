"""The files beside the templates are what VENDOR.md says, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from dashboard.templating import asset_url, assets

STATIC = Path(__file__).parents[2] / "dashboard" / "static"
TEMPLATES = STATIC.parent / "templates"


def test_vendored_files_are_the_publishers_own() -> None:
    told = (STATIC / "vendor" / "VENDOR.md").read_text("utf-8")
    sums = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", told, re.MULTILINE))
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").glob("*.js")}
    assert {name: digest for digest, name in sums.items()} == files
    for licence in ("LICENSE.htmx", "LICENSE.twilio-voice.md"):
        assert licence in told
        assert (STATIC / "vendor" / licence).exists()


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(template: Path) -> None:
    """The content security policy would not let it run; a page must not look right only without one."""
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+\s*=|\sstyle\s*=|<style|javascript:", text)
    assert not re.search(r"(?:src|href)=\"https?:", text)


async def test_static_files_are_kept_for_ever_under_their_fingerprint(sign_in) -> None:
    browser = await sign_in(None)
    lasting = await browser.get(asset_url("surgeline.css"))
    assert lasting.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert lasting.headers["content-encoding"] == "gzip"
    assert lasting.text.startswith("/* Surgeline")
    plain = await browser.get("/assets/surgeline.css", headers={"Accept-Encoding": "identity"})
    assert plain.headers["cache-control"] == "no-cache"
    assert plain.text == lasting.text


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "vendor/../../app.py", "nothing.css", ""])
async def test_only_static_files_are_served(path: str, sign_in) -> None:
    assert (await (await sign_in(None)).get(f"/assets/{path}")).status_code == 404


def test_a_file_that_is_not_there_is_noticed_when_the_page_is_made() -> None:
    with pytest.raises(KeyError):
        asset_url("nothing.css")
    assert len(assets()[0]) == 12
