"""Sentences to begin an update with, by language. What is in brackets is to be filled in: the checks
refuse brackets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    words: Mapping[str, str]


TEMPLATES = (
    Template(
        "Something is wrong, cause unknown",
        {
            "en": "We know that [what] is failing. Our engineers are working on it.",
            "es": "Sabemos que [qué] está fallando. Nuestros ingenieros están trabajando en ello.",
        },
    ),
    Template(
        "Cause found",
        {
            "en": "We have found why [what] fails, and are repairing it.",
            "es": "Hemos encontrado por qué falla [qué], y lo estamos reparando.",
        },
    ),
    Template(
        "A fix is in",
        {
            "en": "A repair for [what] is in place. We are watching whether it holds.",
            "es": "Hay una reparación de [qué]. Estamos observando si se mantiene.",
        },
    ),
    Template(
        "It works again",
        {
            "en": "[What] works again. If yours does not, stay on the line.",
            "es": "[Qué] funciona otra vez. Si el suyo no funciona, quédese en la línea.",
        },
    ),
    Template(
        "Nothing new",
        {
            "en": "There is nothing new on [what] yet. We are still working on it.",
            "es": "Todavía no hay nada nuevo sobre [qué]. Seguimos trabajando en ello.",
        },
    ),
)
