"""TwiML read as strictly as it can be: what Twilio refuses, and what it would only warn of.

``read`` refuses what Twilio cannot use at all (wrong content type, too long, not XML). Everything else
that departs from ``twiml_schema.json`` is a breach of code 12200, and all breaches of a document are
named at once. The code is Twilio's own; the sentence says what and where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from json import loads
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from foundation.errors import SurgelineError

LONGEST = 65_536
AUDIO = frozenset({"audio/mpeg", "audio/mp3", "audio/wav", "audio/wave", "audio/x-wav"})
_NUMBER = re.compile(r"^(\+[1-9][0-9]{6,14}|sim:.+)$")
_SOUND = re.compile(r"(https?://[a-z0-9.]+(:\d{1,4})?)?/[A-Za-z0-9/._~=&?%+-]*")
"""Addresses with which nothing can be wrong; the others are looked at one by one."""
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Unreadable(SurgelineError):
    """A document that Twilio cannot use at all."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Element:
    """One verb or noun, as written."""

    tag: str
    attributes: dict[str, str]
    children: tuple[Element, ...]
    text: str
    """All text within, spaces collapsed: what is said of a <Say>, with or without SSML."""
    own: str = ""
    """The text that is not inside children."""

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        return self.attributes.get(name, "true" if default else "false").lower() == "true"

    def whole(self, name: str, default: int) -> int:
        try:
            return int(self.attributes.get(name, default))
        except ValueError:
            return default

    def words(self, name: str, default: str = "") -> frozenset[str]:
        return frozenset(self.attributes.get(name, default).split())


@dataclass(frozen=True)
class Document:
    """Verbs to carry out, where they came from, and where they run (a context of the schema)."""

    verbs: tuple[Element, ...]
    url: str
    context: str


@cache
def schema() -> dict[str, Any]:
    text = resources.files("drill.network").joinpath("twiml_schema.json").read_text("utf-8")
    table: dict[str, Any] = loads(text)
    return table


def read(body: bytes, content_type: str | None, url: str, context: str) -> tuple[Document, list[str]]:
    """The document, and every departure from the schema, in words (empty: none).

    Raises Unreadable with 12300 (content type), 11750 (too long) or 12100 (not TwiML).
    """
    kind = (content_type or "").split(";")[0].strip().lower()
    if kind in AUDIO and context in ("voice.answer", "enqueue.waitUrl"):
        return Document((Element("Play", {}, (), url, url),), url, context), []
    if kind not in schema()["rules"]["contentTypes"]:
        named = f"is {kind!r}" if kind else "is missing"
        raise Unreadable(12300, f"the content type {named}; text/xml is wanted")
    if len(body) > LONGEST:
        raise Unreadable(11750, f"the document has {len(body)} bytes; Twilio takes {LONGEST}")
    root = _parse(body)
    grammar = schema()["messaging" if context == "messaging.webhook" else "voice"]
    breaches = list(_check(root, "Response", grammar))
    breaches += _check_context(root, context)
    return Document(root.children, url, context), breaches


def _parse(body: bytes) -> Element:
    try:
        tree = ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise Unreadable(12100, f"not well-formed XML: {error}") from None
    root = _element(tree)
    if root.tag != "Response":
        raise Unreadable(12100, f"the root is <{root.tag}>, not <Response>")
    return root


def _element(node: ElementTree.Element) -> Element:
    attributes = {"xml:lang" if name == _XML_LANG else name: value for name, value in node.items()}
    if not len(node):
        text = " ".join((node.text or "").split())
        return Element(str(node.tag), attributes, (), text, text)
    return Element(
        tag=str(node.tag),
        attributes=attributes,
        children=tuple(_element(child) for child in node if isinstance(child.tag, str)),
        text=" ".join("".join(node.itertext()).split()),
        own=" ".join(f"{node.text or ''} {' '.join(child.tail or '' for child in node)}".split()),
    )


def _check(element: Element, path: str, grammar: dict[str, Any]) -> Iterator[str]:
    known = grammar.get(element.tag)
    if known is None:
        yield f"{path}: Twilio knows no such element"
        return
    for name, value in element.attributes.items():
        rule = known["attributes"].get(name)
        if rule is None:
            yield f"{path}: no attribute {name!r} on this element"
        else:
            yield from (f"{path}[{name}]: {wrong}" for wrong in _check_value(name, value, rule))
    yield from (f"{path}: {wrong}" for wrong in _check_text(element, known["text"]))
    for child in element.children:
        below = f"{path}/{child.tag}"
        if child.tag not in known["children"]:
            yield f"{below}: not allowed inside <{element.tag}>"
        else:
            yield from _check(child, below, grammar)
    if element.tag == "Dial":
        yield from (f"{path}: {wrong}" for wrong in _check_dial(element))


def _check_value(name: str, value: str, rule: dict[str, Any]) -> Iterator[str]:
    kind = rule["type"]
    if kind == "boolean" and value not in ("true", "false"):
        yield f"{value!r} is neither true nor false"
    elif kind == "integer":
        yield from _check_whole(value, rule)
    elif kind == "enum" and value not in rule["values"]:
        yield f"{value!r} is not one of {', '.join(rule['values'][:8])}"
    elif kind == "list":
        unknown = [word for word in value.split() if word not in rule["values"]]
        if unknown or not value.split():
            yield f"{value!r} is not a space-separated list of {', '.join(rule['values'])}"
    elif kind == "url":
        yield from _check_url(name, value, rule)
    elif kind == "string":
        yield from _check_string(value, rule)


def _check_whole(value: str, rule: dict[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        yield f"{value!r} is not a whole number"
        return
    if int(value) < rule.get("min", int(value)) or int(value) > rule.get("max", int(value)):
        yield f"{value} is outside {rule.get('min', '…')} to {rule.get('max', '…')}"


def _check_string(value: str, rule: dict[str, Any]) -> Iterator[str]:
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        yield f"{value!r} does not fit {rule['pattern']}"
    if len(value) > rule.get("maxLength", len(value)):
        yield f"{len(value)} characters; {rule['maxLength']} at most"
    if "maxItems" in rule:
        items = value.split(rule["separator"])
        if len(items) > rule["maxItems"] or any(len(item) > rule["itemMaxLength"] for item in items):
            yield f"more than {rule['maxItems']} items, or one above {rule['itemMaxLength']} characters"


def _check_url(name: str, value: str, rule: dict[str, Any]) -> Iterator[str]:
    if not value:
        if not rule.get("allowEmpty"):
            yield "an empty URL"
        return
    wrong = url_fault(value)
    if wrong:
        yield wrong
    elif "statuscallback" in name.lower() and "_" in (urlsplit(value).hostname or ""):
        yield "Twilio calls back no host with an underscore"


def url_fault(value: str) -> str:
    """What is wrong with an address, absolute or relative; empty when nothing is."""
    if _SOUND.fullmatch(value):
        return ""
    if re.search(r"[\s\x00-\x1f<>\"{}|\\^`]", value):
        return f"{value!r} is not a URL"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return f"{value!r} is not a URL"
    if parts.scheme not in ("", "http", "https") or (parts.scheme and not parts.hostname):
        return f"{value!r} is not an http URL"
    return ""


def _check_text(element: Element, wanted: str | bool) -> Iterator[str]:
    own = element.own
    tag = element.tag
    if wanted is False:
        if own:
            yield f"no text belongs here: {own[:40]!r}"
        return
    if tag == "Play" and bool(own) == ("digits" in element.attributes):
        yield "wants either a URL or digits"
    elif tag in ("Play", "Redirect") and own and url_fault(own):
        yield url_fault(own)
    elif tag == "Number" and not _NUMBER.match(own):
        yield f"{own!r} is not a number in E.164 form"
    elif tag == "Say":
        yield from _check_say(element)
    elif tag == "Message" and bool(own) == bool(element.children):
        yield "wants either a text or a <Body> or <Media>"
    else:
        yield from _check_name(element)


def _check_name(element: Element) -> Iterator[str]:
    if element.tag == "Enqueue" and len(element.own) > 64:
        yield "a queue's name has 64 characters at most"
    nameless = not element.own and not element.children
    if element.tag == "Enqueue" and nameless and "workflowSid" not in element.attributes:
        yield "the queue has no name"
    if element.tag in ("Conference", "Queue", "Client") and nameless:
        yield "the name is missing"


def _check_say(element: Element) -> Iterator[str]:
    if not element.text and not element.children:
        yield "nothing to say"
    voice, language = element.get("voice"), element.get("language")
    if voice.startswith("Google.") and language and not voice.startswith(f"Google.{language}-"):
        yield f"the voice {voice} does not speak {language}"


def _check_dial(element: Element) -> Iterator[str]:
    kinds = {child.tag for child in element.children}
    if element.children and element.own:
        yield "either a number as text or nouns, not both"
    if not element.children and not _NUMBER.match(element.own):
        yield "nobody to dial"
    if kinds & {"Conference", "Queue"} and len(element.children) > 1:
        yield "a conference or a queue is dialled alone"
    for kind, most in schema()["rules"]["maxDialNouns"].items():
        if isinstance(most, int) and sum(child.tag == kind for child in element.children) > most:
            yield f"more than {most} <{kind}>"


NOT_ACTED_OUT = {
    "Conference": {"coach", "record", "recordingStatusCallback", "eventCallbackUrl"},
    "Dial": {"hangupOnStar", "record", "recordingStatusCallback", "referUrl", "sequential"},
    "Enqueue": {"maxQueueSize", "workflowSid"},
    "Message": {"action"},
    "Number": {"amdStatusCallback", "machineDetection", "sendDigits"},
    "Record": {"transcribe", "transcribeCallback"},
}
"""What Twilio takes and the double passes over. A product that relies on it must not be told all is well."""


def not_acted_out(elements: tuple[Element, ...]) -> Iterator[str]:
    """Attributes in a document that have no effect here, though they would have at Twilio's."""
    for element in elements:
        for name in sorted(NOT_ACTED_OUT.get(element.tag, set()) & set(element.attributes)):
            if element.get(name) not in ("false", "do-not-record"):
                yield f"<{element.tag} {name}>"
        if element.tag == "Media":
            yield "<Media>"
        yield from not_acted_out(element.children)


def _check_context(root: Element, context: str) -> list[str]:
    """Which verbs may stand here at all; and a <Reject> comes first or not at all."""
    allowed = schema()["contexts"][context]["allowed"]
    grammar = schema()["messaging" if context == "messaging.webhook" else "voice"]
    known = grammar["Response"]["children"]
    breaches = [
        f"Response/{verb.tag}: not allowed in a {context} document"
        for verb in root.children
        if verb.tag in known and verb.tag not in allowed
    ]
    breaches += [
        "Response/Reject: only as the first verb"
        for place, verb in enumerate(root.children)
        if verb.tag == "Reject" and place
    ]
    return breaches
