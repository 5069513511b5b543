"""Dripos, the Saturday before Mother's Day: shops with one version of the card reader were down, the support
phones were overwhelmed, and the last shops were whole on Monday evening.

Lessons: the scope is a device, so that the others are served; it is widened while people hold; days later
nobody who was turned away, hung up or could not be texted is forgotten.
"""

from __future__ import annotations

from callbacks.states import PromiseState
from queueing.states import ContactState
from surge.states import FollowUpState
from tests.wire.stories.centre import HARDWARE, TAKES_THE_TEXT, comes_to

MERCHANTS = """name,numbers,product,device
First Pour,+1 415 555 0001,Till,V1 reader
Second Cup,+1 415 555 0002,Till,V2 reader
Third Wave,+1 415 555 0003,Till,V3 reader
Fourth Wall,+1 415 555 0004,Till,
Fifth Bean,+1 415 555 0005,Till,V1 reader
"""
V1, V2, V3, UNKNOWN, GAVE_UP = (f"+1415555000{number}" for number in range(1, 6))
DOWN = "Tills with the V1 reader lose their connection."


async def test_a_weekend_by_device_and_its_days_of_tail(centre, clock):
    comes_to(clock, 5, 9)
    dripos = await centre(MERCHANTS)
    incident = await dripos.lead.declares(
        "Tills offline", DOWN, devices="V1 reader", dont="Do not switch the reader off"
    )
    await dripos.lead.sets_level(2)
    calls_of = dripos.calls_in

    # The matched are told and texted. Who has another reader waits in line, and hears none of it.
    touched = await calls_of(V1, **TAKES_THE_TEXT)
    assert DOWN in dripos.heard_by(touched)
    assert dripos.after_s(touched, DOWN) < 15
    assert "Do not switch the reader off" in dripos.read_by(V1)[0]
    spared = await calls_of(V3, presses=[HARDWARE])
    second = await calls_of(V2, presses=[HARDWARE])
    assert (await dripos.contact(spared)).state is ContactState.WAITING
    assert "V1 reader" not in dripos.heard_by(spared) + dripos.heard_by(second)
    # Whose reader we do not know is asked, and decides.
    unknown = await calls_of(UNKNOWN, **TAKES_THE_TEXT)
    assert "This may or may not concern you." in dripos.heard_by(unknown)
    assert unknown.ended
    gave_up = await calls_of(GAVE_UP, s=12)
    await dripos.hangs_up(gave_up)

    # It is the V2 reader as well: who holds with one is told so there and then.
    await dripos.lead.edits_scope(incident, devices="V1 reader, V2 reader")
    await dripos.lead.says(incident, "Tills with the V1 or V2 reader lose their connection.")
    await dripos.passes(40)
    assert "Here is an update while you hold. As of" in dripos.heard_by(second)
    assert "reader lose" not in dripos.heard_by(spared)
    await dripos.works("ann")
    assert [await dripos.serves("ann"), await dripos.serves("ann")] == [V3, V2]

    # Verified on Saturday evening; one says that it is not so, and is called at the place of the first call.
    await dripos.goes_by(60)
    await dripos.lead.says(incident, "All tills connect again.", state="verified")
    await dripos.goes_by(18)
    assert "fixed on our side: Tills offline" in dripos.read_by(UNKNOWN)[-1]
    assert "We will call you when your turn comes." in await dripos.texts_back(UNKNOWN, "2")
    dripos.phone(UNKNOWN, "human", 1000, presses=[{"when": "to be connected", "digits": "1"}])
    (promise,) = await dripos.promises_of(UNKNOWN)
    await dripos.talks("ann", await dripos.calls(promise), 30)
    assert [each.state for each in await dripos.promises_of(UNKNOWN)] == [PromiseState.KEPT]

    # Sunday and Monday pass. Silence for a day means that it works; who gave up, and agreed to no texts, is
    # still on the list, and the list does not close over them.
    await dripos.goes_by(10)
    await dripos.lead.says(incident, "Every till has connected for a night.", state="resolved")
    await dripos.goes_by(48 * 60, step_s=4 * 3600)
    ledger = await dripos.ledger(incident)
    assert {number: row.state for number, row in ledger.items()} == {
        V1: FollowUpState.WORKS, UNKNOWN: FollowUpState.SERVED, GAVE_UP: FollowUpState.OPEN,
    }  # fmt: skip
    assert ledger[GAVE_UP].note == "agreed to no texts: for a person to reach"
    assert "1 follow-ups are still open" in await dripos.lead.closes_list(incident)
    await dripos.lead.finishes(ledger[GAVE_UP].id, "reached")
    assert await dripos.lead.closes_list(incident) == ""
