"""Told against had, as one SVG: over the time, and each caller's dot beside the line where both are equal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from drill.replay.run import OURS, Asked
from queueing.estimates import Estimate

WIDTH, HIGH, WIDE = 960, 240, 440
LEFT, TOP, GAP = 56, 84, 40
MOST = 1200
"""So many dots at most: every n-th caller."""
STYLE = (
    "svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#222}.h{font-weight:600;font-size:14px}"
    ".soft{fill:#666}.axis{stroke:#999;fill:none}.grid{stroke:#ddd}.had{fill:#222}.range{fill:#7a5cc0;opacity:.25}"
    ".ours{stroke:#5b3aa8;fill:none;stroke-width:1.5}.other{stroke:#b26a00;fill:none;stroke-width:1.5;"
    "stroke-dasharray:5 3}.dot{fill:#5b3aa8;opacity:.45}.odot{fill:#b26a00;opacity:.45}"
    "@media(prefers-color-scheme:dark){svg{background:#16181d}text{fill:#eee}.soft{fill:#aaa}.grid{stroke:#333}"
    ".axis{stroke:#777}.had{fill:#ddd}.range{fill:#a48be8;opacity:.3}.ours{stroke:#b9a3f5}.dot{fill:#b9a3f5}"
    ".other{stroke:#f0b050}.odot{fill:#f0b050}}"
)


def picture(asked: Sequence[Asked], rival: str, title: str) -> str:
    """Of callers whose wait is known and to whom ours and ``rival`` told something; at least one."""
    told = [each for each in asked if each.wait_s is not None and each.told[OURS] and each.told[rival]]
    told = sorted(told, key=lambda each: each.call.entered)[:: -(-len(told) // MOST)]
    every = [each.wait_s or 0.0 for each in told] + [_mean(each, OURS) for each in told]
    top = _round_up(max(every) / 60)
    first, last = told[0].call.entered, told[-1].call.entered
    hours = max(1e-9, (last - first) / 3600)
    x = [LEFT + (each.call.entered - first) / 3600 / hours * (WIDTH - LEFT - 20) for each in told]
    high = TOP + HIGH

    def y(seconds: float) -> float:
        return high - min(seconds / 60, top) / top * HIGH

    upper = " ".join(f"{at:.1f},{y(_said(each).p90):.1f}" for at, each in zip(x, told, strict=True))
    lower = " ".join(
        f"{at:.1f},{y(_said(each).p10):.1f}" for at, each in reversed(list(zip(x, told, strict=True)))
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high + WIDE + 50}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="h" x="{LEFT}" y="24">{escape(title)}</text>',
        f'<text class="soft" x="{LEFT}" y="44">Minutes of wait, by when the call came. Dots: the waits had.'
        " Violet: told by</text>",
        f'<text class="soft" x="{LEFT}" y="60">Surgeline, with the band into which eight in ten should fall. '
        f"Broken line: told by the way “{escape(rival)}”.</text>",
        *_ruled(top, LEFT, WIDTH - 20, high, HIGH),
        f'<polygon class="range" points="{upper} {lower}"/>',
        *(
            f'<circle class="had" cx="{at:.1f}" cy="{y(each.wait_s or 0.0):.1f}" r="1.4"/>'
            for at, each in zip(x, told, strict=True)
        ),
        *(
            f'<polyline class="{look}" points="'
            + " ".join(f"{at:.1f},{y(_mean(each, name)):.1f}" for at, each in zip(x, told, strict=True))
            + '"/>'
            for name, look in ((OURS, "ours"), (rival, "other"))
        ),
        f'<text class="soft" x="{LEFT}" y="{high + 18}">first call</text>',
        f'<text class="soft" x="{WIDTH - 20}" y="{high + 18}" text-anchor="end">{hours:.1f} h later</text>',
    ]
    for place, (name, words, look) in enumerate(((OURS, "Surgeline", "dot"), (rival, rival, "odot"))):
        parts += _cloud(told, name, words, look, LEFT + place * (WIDE + GAP), high + 70, top)
    return "\n".join([*parts, "</svg>", ""])


def _cloud(
    told: Sequence[Asked], name: str, words: str, look: str, left: float, above: float, top: float
) -> list[str]:
    size = WIDE - GAP
    floor = above + size
    return [
        f'<text class="h" x="{left}" y="{above - 10}">{escape(words)}: told (across), had (up), min</text>',
        *_ruled(top, left, left + size, floor, size),
        f'<path class="axis" d="M{left} {floor}L{left + size} {above}"/>',
        *(
            f'<circle class="{look}" cx="{left + min(_mean(each, name) / 60, top) / top * size:.1f}" '
            f'cy="{floor - min((each.wait_s or 0.0) / 60, top) / top * size:.1f}" r="2"/>'
            for each in told
        ),
    ]


def _ruled(top: float, left: float, right: float, floor: float, high: float) -> list[str]:
    lines = []
    for part in range(5):
        at = floor - high * part / 4
        lines.append(f'<path class="grid" d="M{left} {at:.1f}H{right}"/>')
        lines.append(
            f'<text class="soft" x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{top * part / 4:g}</text>'
        )
    return lines


def _said(each: Asked) -> Estimate:
    said = each.told[OURS]
    assert said is not None
    return said


def _mean(each: Asked, name: str) -> float:
    said = each.told[name]
    return said.mean if said else 0.0


def _round_up(minutes: float) -> float:
    scale = 1.0
    while True:
        for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8):
            if step * scale >= minutes:
                return step * scale
        scale *= 10
