"""Resolved is not done: a soak, a stage at a time, and a stop when too many say that it is still down."""

from __future__ import annotations

from carrier.tables import Text
from carrier.text_states import TextState
from queueing.states import Disposition
from surge import deflection, desk, incidents, lists, notices
from surge.states import FollowUpState, IncidentState
from surge.tables import Incident, Subscription
from tests.surge.house import House


async def verified(house: House, callers: int) -> Incident:
    """An incident with as many turned away, and verified now."""
    row = await house.declares()
    for index in range(callers):
        await house.deflects(f"CA{index:02}", row, f"+1415555{2000 + index}")
        house.clock.advance(ms=1)
    return await incidents.move(house.watch, row.id, IncidentState.VERIFIED, 1, "ann", house.now_ms)


async def told(house: House) -> int:
    return sum(row.told_ms is not None for row in (await house.ledger()).values())


async def test_stage_by_stage_after_the_soak_each_merchant_once(house: House) -> None:
    house = house.with_policy(cohort=3)
    await verified(house, 7)
    seen = []
    for minutes in (14.9, 0.1, 0, 5, 5, 5):
        house.clock.advance(minutes=minutes)
        await house.watcher.notify()
        seen.append(await told(house))
    assert seen == [0, 3, 3, 6, 7, 7]
    over = [text for text in await house.texts() if ".over." in text.id]
    assert len({text.number for text in over}) == len(over) == 7


async def test_more_than_a_tenth_still_down_pauses_it_and_a_person_goes_on(house: House) -> None:
    house = house.with_policy(cohort=10)
    row = await verified(house, 25)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    first = sorted(r.number for r in (await house.ledger()).values() if r.told_ms)
    await deflection.still_down(house.watch, first[0], house.now_ms)
    house.clock.advance(ms=house.policy.cohort_ms)
    await house.watcher.notify()
    assert await told(house) == 20  # one of ten is not more than a tenth
    for number in first[1:3]:
        await deflection.still_down(house.watch, number, house.now_ms)
    for _ in range(3):
        house.clock.advance(ms=house.policy.cohort_ms)
        await house.watcher.notify()
    assert await told(house) == 20
    assert len(await house.lines("notices_paused")) == 1
    house.clock.advance(ms=1)
    await notices.resume(house.watch, row.id, "ann", house.now_ms)
    await house.watcher.notify()
    assert await told(house) == 25


async def test_a_relapse_opens_who_was_told_and_they_are_told_again(house: House) -> None:
    row = await verified(house, 2)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    row = await incidents.resolve(house.watch, row.id, row.version, "ann", house.now_ms)
    await house.watcher.notify()
    row = await incidents.reopen(house.watch, row.id, row.version, "ann", house.now_ms)
    assert set((await house.states()).values()) == {FollowUpState.OPEN}
    house.clock.advance(minutes=1)
    row = await incidents.move(house.watch, row.id, IncidentState.VERIFIED, row.version, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    assert set((await house.states()).values()) == {FollowUpState.TOLD}
    assert len([text for text in await house.texts() if ".over." in text.id]) == 4


async def test_told_and_silent_for_a_day_it_works_and_the_list_can_be_closed(house: House) -> None:
    row = await verified(house, 2)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    house.clock.advance(ms=house.policy.works_ms - 1)
    await house.watcher.tidy()
    assert set((await house.states()).values()) == {FollowUpState.TOLD}
    house.clock.advance(ms=1)
    await house.watcher.tidy()
    assert set((await house.states()).values()) == {FollowUpState.WORKS}
    await desk.close(house.watch, row.id, "ann", house.now_ms)
    assert len(await house.lines("ledger_closed")) == 1


async def test_who_did_not_get_the_notice_is_no_silence_but_left_for_people(house: House) -> None:
    row = await verified(house, 2)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    lost = next(text for text in await house.texts() if ".over." in text.id and text.number == "+14155552000")
    async with house.sql.session() as session:
        found = await session.get(Text, lost.id)
        assert found is not None
        found.state, found.error, found.done_ms = TextState.UNDELIVERED.value, "30006", house.now_ms
    await house.watcher.notify()
    house.clock.advance(ms=house.policy.works_ms)
    await house.watcher.tidy()
    ledger = await house.ledger()
    assert {name: (each.state, each.note) for name, each in ledger.items()} == {
        "CA00": (FollowUpState.OPEN, notices.NOT_ARRIVED),
        "CA01": (FollowUpState.WORKS, "told, and did not answer"),
    }
    told = await lists.notice(house.sql, row.id)
    assert (told.told, told.left, told.by_hand) == (2, 0, 1)
    await house.watcher.notify()
    assert len([text for text in await house.texts() if ".over." in text.id]) == 2


async def test_a_landline_is_sent_no_further_update(house: House) -> None:
    row = await house.declares()
    for index in range(2):
        await house.deflects(f"CA{index}", row, f"+1415555200{index}")
    async with house.sql.session() as session:
        found = await session.get(Text, deflection.text_id("CA0"))
        assert found is not None
        found.state, found.error, found.done_ms = "undelivered", "30006", house.now_ms
    house.clock.advance(minutes=1)
    post = incidents.Post({"en": "We have found the cause."}, IncidentState.IDENTIFIED)
    await incidents.post_update(house.watch, row.id, post, row.version, "ann", house.now_ms)
    await house.watcher.tell_updates()
    told = [text.number for text in await house.texts() if text.id.startswith(row.id)]
    assert told == ["+14155552001"]


async def test_who_said_stop_is_left_for_people(house: House) -> None:
    from carrier.optouts import opt_out

    await verified(house, 2)
    async with house.sql.session() as session:
        await opt_out(session, "+14155552000", "STOP", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    assert await house.states() == {"CA00": FollowUpState.OPEN, "CA01": FollowUpState.TOLD}


async def test_who_agreed_to_no_texts_is_left_for_people_and_the_ledger_says_so(house: House) -> None:
    row = await house.declares()
    await house.deflects("CA0", row)
    await house.turned_away("CA1", Disposition.FULL, "+14155552001")
    await house.writes_down()
    row = await incidents.move(house.watch, row.id, IncidentState.VERIFIED, 1, "ann", house.now_ms)
    await house.watcher.notify()
    told = await lists.notice(house.sql, row.id)
    assert (told.told, told.left, told.by_hand) == (0, 1, 1)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    ledger = await house.ledger()
    assert {name: (each.state, each.note) for name, each in ledger.items()} == {
        "CA0": (FollowUpState.TOLD, ""),
        "CA1": (FollowUpState.OPEN, notices.NO_CONSENT),
    }
    assert [text.number for text in await house.texts() if ".over." in text.id] == [ledger["CA0"].number]
    told = await lists.notice(house.sql, row.id)
    assert (told.told, told.left, told.by_hand) == (1, 0, 1)


async def test_a_merchant_who_agreed_on_another_phone_is_told_there(house: House) -> None:
    row = await house.declares()
    for index, number in enumerate(("+14155552000", "+14155552001")):
        await house.rings(f"CA{index}", number, merchant=7)
        house.clock.advance(s=30)
        await house.hangs_up(f"CA{index}")
    await house.writes_down()
    async with house.sql.session() as session:
        session.add(Subscription(incident=row.id, number="+14155552001", made_ms=1))
    await incidents.move(house.watch, row.id, IncidentState.VERIFIED, 1, "ann", house.now_ms)
    told = await lists.notice(house.sql, row.id)
    assert (told.left, told.by_hand) == (1, 0)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    assert [text.number for text in await house.texts() if ".over." in text.id] == ["+14155552001"]


async def test_customers_and_merchants_are_told_in_words_of_their_own(house: House) -> None:
    row = await house.declares(audience="both")
    await house.deflects("CA1", row, "+14155552001", merchant_id=7, merchant="Corner Bakery")
    await house.deflects("CA2", row, "+14155552002")
    await house.turned_away("CA3", Disposition.FULL, "+14155552003")
    await house.writes_down()
    audiences = {name: each.audience for name, each in (await house.ledger()).items()}
    assert audiences == {"CA1": "merchants", "CA2": "customers", "CA3": "customers"}
    await incidents.move(house.watch, row.id, IncidentState.VERIFIED, 1, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    over = {text.number: text.body for text in await house.texts() if ".over." in text.id}
    assert "Reply 1 if it works" in over["+14155552001"]
    assert "You can place your order again." in over["+14155552002"]


async def test_after_a_relapse_who_was_told_it_is_fixed_is_told_that_it_is_not(house: House) -> None:
    house = house.with_policy(cohort=1)
    row = await verified(house, 2)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    house.clock.advance(minutes=1)
    row = await house.says(row, "It is slow again everywhere.", state=IncidentState.INVESTIGATING)
    for _ in range(2):
        await house.watcher.tell_updates()
    house.clock.advance(minutes=1)
    await house.says(row, "The servers are started by hand.")
    await house.watcher.tell_updates()
    bodies: dict[str, list[str]] = {}
    for text in await house.texts():
        bodies.setdefault(text.number, []).append(text.body)
    told_fixed, never = bodies["+14155552000"], bodies["+14155552001"]
    assert "we said this was fixed, and it is not: Payments. It is slow again" in told_fixed[2]
    assert "we said" not in " ".join((told_fixed[3], *never))
    assert (len(told_fixed), len(never)) == (4, 3)


async def test_a_relapse_forgets_the_answers_to_the_notice_that_was_wrong(house: House) -> None:
    """A "2" to the first must not pause the second, and who said "1" to the first is to hear the second."""
    row = await verified(house, 3)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    await deflection.still_down(house.watch, "+14155552000", house.now_ms)
    await deflection.works(house.watch, "+14155552001", house.now_ms)
    await house.watcher.notify()
    assert len(await house.lines("notices_paused")) == 1
    row = await house.says(row, "It is slow again.", state=IncidentState.INVESTIGATING)
    assert (await house.states())["CA01"] == FollowUpState.OPEN
    house.clock.advance(minutes=1)
    await house.says(row, "It is fast again.", state=IncidentState.VERIFIED)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    assert len(await house.lines("notices_paused")) == 1
    assert await house.states() == {"CA00": "open", "CA01": "told", "CA02": "told"}
