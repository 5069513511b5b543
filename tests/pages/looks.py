"""A page looked at in light, in dark and on a phone, as one visit: what is on it does not change between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
STYLES = {
    "light": ("light", DESK),
    "dark": ("dark", DESK),
    "phone": ("light", PHONE),
    "phone-dark": ("dark", PHONE),
}


def look_at(page: Any, shoot: Callable[[Any, str], None], name: str) -> None:
    """Nothing that axe finds, nothing wider than the screen, no fault of the page's script."""
    for style, (scheme, size) in STYLES.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        shoot(page, f"{name}-{style}")
        found = Axe().run(page)
        assert not found.response["violations"], f"{name}, {style}: {found.generate_report()}"
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.evaluate(wide), f"{name} is too wide, {style}"
    assert page.faults == []
