"""What is heard when a door of ours is broken: true, and never the end of a call that we could still keep.

Made from the request alone; nothing here asks a store or can fail.
"""

from __future__ import annotations

from urllib.parse import urlencode

from announcements import catalog
from ivr import entering, slips, twiml
from ivr.desk import Desk
from ivr.visits import Visit

CARRIED = ("lang", "topic", "q", "b", "attempt", "turn")


def hold(desk: Desk, visit: Visit) -> str:
    """A caller, at any stage: into (or back into) the queue. The hold loop finds the place again."""
    slip = slips.read(desk.centre, visit.query)
    slip = entering.placed(desk.centre, desk.policy, slip)
    words = catalog.voice(slip.language, "trouble")
    return entering.enqueue(desk, slip, words, contact=visit.contact)


def music(desk: Desk, visit: Visit) -> str:
    """A caller in the queue: music. Twilio asks the hold loop again when it ends."""
    clip = slips.whole(visit.query.get("clip", ""))
    return twiml.answer(twiml.play(desk.clip(clip)), twiml.play(desk.clip(clip + 1)))


def promised(desk: Desk, visit: Visit) -> str:
    """The promise is made and has been spoken: what is left is goodbye."""
    slip = slips.read(desk.centre, visit.query)
    return twiml.answer(twiml.say(catalog.voice(slip.language, "promised_goodbye")), twiml.hang_up())


def held(desk: Desk, visit: Visit) -> str:
    """A merchant whom we called, and who is on the line: music, and then the same question once more."""
    clip = slips.whole(visit.query.get("clip", ""))
    carried = {name: visit.query[name][:64] for name in CARRIED if name in visit.query}
    onward = desk.url(f"/voice/called/hold?{urlencode(carried)}&clip={clip + 1}")
    return twiml.answer(twiml.play(desk.clip(clip)), twiml.redirect(onward))


def alone(desk: Desk, visit: Visit) -> str:
    """Somebody waiting in a conference: music, for longer than a join may take."""
    return twiml.answer(*(twiml.play(desk.clip(clip)) for clip in range(6)))


def goodbye(desk: Desk, visit: Visit) -> str:
    """An agent's leg, or the end of a message: nothing can be kept by staying on."""
    slip = slips.read(desk.centre, visit.query)
    return twiml.answer(twiml.say(catalog.voice(slip.language, "trouble_goodbye")), twiml.hang_up())


def silence(desk: Desk, visit: Visit) -> str:
    """A callback whose answer nobody hears."""
    return twiml.answer()
