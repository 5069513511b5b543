"""The console's forms: levels, incidents, the text box; conflicts and bad input."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dashboard.surge_views import event_views
from merchants.tables import Merchant
from queueing.records import Card
from surge import commitments, incidents, links, lists, rehearsals, suggestions, switch
from surge.office import Conflict
from surge.rehearsals import Rehearsal
from surge.states import Level
from surge.tables import SurgeEvent
from tests.pages.outage import Outage

WORDS = "We know that card payments are failing. Our engineers are repairing it."


@pytest.fixture
async def lead(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("lead1")


@pytest.fixture
async def other(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("super1")


@pytest.fixture
def outage(rooms) -> Outage:
    return Outage(rooms.surge)


async def now_level(rooms) -> Level:
    return switch.in_force(await switch.state(rooms.surge), rooms.clock.now_ms())


def new(**given: str) -> dict[str, str]:
    told = {"title": "Card payments fail", "words.en": WORDS, "all": "1", "next_min": "20"}
    return {**told, **given}


async def test_a_status_page_that_cannot_be_seen_is_said_until_it_can(lead, sign_in, rooms, clock) -> None:
    mine = links.addresses(rooms.surge)[0]
    for fault in ("it answers 404", "it answers 404"):
        clock.advance(minutes=1)
        await links.looked(rooms.surge, mine, fault, rooms.clock.now_ms())
    page = (await lead.get("/surge")).text
    assert f"The status page cannot be seen at {mine}" in page
    admin = await sign_in("admin1")
    listed = (await admin.get("/admin/operations")).text
    assert "No: it answers 404" in listed
    await links.looked(rooms.surge, mine, "", rooms.clock.now_ms())
    page = (await lead.get("/surge")).text
    assert "cannot be seen at" not in page
    assert "The status page is seen again" in page
    assert "No: it answers" not in (await admin.get("/admin/operations")).text


# -- the level --------------------------------------------------------------------------------------------


async def test_one_press_turns_the_surge_on_with_an_end_and_ten_seconds_to_undo(lead, rooms, clock) -> None:
    answer = await lead.post("/surge/level", data={"level": "2", "seen": "0"})
    assert answer.headers["location"] == "/surge?done=level"
    page = (await lead.get("/surge")).text
    assert "Surge on" in page
    assert "Ends by itself at" in page
    assert "Undo: back to calm" in page
    await lead.post("/surge/undo")
    assert await now_level(rooms) is Level.CALM
    await lead.post("/surge/level", data={"level": "2", "seen": "0"})
    clock.advance(s=11)
    late = await lead.post("/surge/undo")
    assert late.status_code == 409
    assert "too late to undo" in late.text
    assert "Undo: back" not in (await lead.get("/surge")).text


async def test_a_level_that_nobody_renews_is_over(lead, rooms, clock) -> None:
    await lead.post("/surge/level", data={"level": "2", "seen": "0"})
    clock.advance(minutes=50)
    assert (await lead.post("/surge/renew")).status_code == 303
    clock.advance(minutes=50)
    assert await now_level(rooms) is Level.SURGE
    clock.advance(minutes=11)
    page = (await lead.get("/surge")).text
    assert "Turn surge on" in page
    assert "nobody renewed it" in page


async def test_closing_takes_two_people_and_shows_who_asked(lead, other, rooms) -> None:
    await lead.post("/surge/level", data={"level": "2", "seen": "0"})
    assert (await lead.post("/surge/level", data={"level": "3", "seen": "2"})).status_code == 303
    assert await now_level(rooms) is Level.SURGE
    own = (await lead.get("/surge")).text
    assert "A second person must agree" in own
    assert "Agree and close" not in own
    assert (await lead.post("/surge/second", data={"agree": "true"})).status_code == 422
    theirs = (await other.get("/surge")).text
    assert "Lead 1 asks to close the line" in theirs
    assert "Agree and close" in theirs
    assert (await other.post("/surge/second", data={"agree": "true"})).status_code == 303
    assert await now_level(rooms) is Level.CLOSED_TO_NEW


async def test_the_second_person_may_refuse(lead, other, rooms) -> None:
    await lead.post("/surge/level", data={"level": "2"})
    await lead.post("/surge/level", data={"level": "3"})
    await other.post("/surge/second", data={"agree": "false"})
    assert await now_level(rooms) is Level.SURGE
    assert (await other.post("/surge/second", data={"agree": "true"})).status_code == 409


async def test_a_page_that_shows_an_older_level_changes_nothing(lead, other, rooms) -> None:
    await other.post("/surge/level", data={"level": "2", "seen": "0"})
    answer = await lead.post("/surge/level", data={"level": "1", "seen": "0"})
    assert answer.status_code == 409
    assert "super1 has set the level to surge on" in answer.text
    assert await now_level(rooms) is Level.SURGE


async def test_the_detector_is_switched(lead, rooms) -> None:
    assert (await lead.post("/surge/detector", data={"mode": "dry_run"})).status_code == 303
    assert (await switch.state(rooms.surge)).automatic == "dry_run"
    assert (await lead.post("/surge/detector", data={"mode": "oracle"})).status_code == 422


# -- incidents --------------------------------------------------------------------------------------------


async def test_declare_then_everything_tells_of_it(lead, rooms, sign_in, clock) -> None:
    answer = await lead.post(
        "/surge/incidents", data=new(do="Switch offline mode on.", **{"words.es": "Fallan."})
    )
    assert answer.status_code == 303, answer.text
    (row,) = await incidents.list_live(rooms.surge)
    assert (row.title, row.scope, row.declared_by) == ("Card payments fail", {"all": True}, "lead1")
    clock.advance(s=2)  # so long a door may not yet know
    assert WORDS in (await lead.get("/surge")).text
    desk = (await (await sign_in("agent1")).get("/desk")).text
    assert "Switch offline mode on." in desk
    assert "Read script" in desk
    assert WORDS in (await (await sign_in(None)).get("/status")).text


async def test_two_leads_post_at_once_the_second_sees_the_first(lead, other, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    first = {"words.en": "We have found the cause.", "version": "1", "state": "identified", "next_min": "20"}
    await other.post(f"/surge/incidents/{row.id}/update", data=first)
    mine = {"words.en": "We are still looking for the cause.", "version": "1", "next_min": "20"}
    answer = await lead.post(f"/surge/incidents/{row.id}/update", data=mine)
    assert answer.status_code == 409
    assert "super1 said meanwhile:" in answer.text
    assert "We have found the cause." in answer.text
    assert "We are still looking for the cause.</textarea>" in answer.text
    version = re.search(r'name="version" value="(\d+)"', answer.text)
    assert version
    again = await lead.post(f"/surge/incidents/{row.id}/update", data={**mine, "version": version[1]})
    assert again.status_code == 303
    story = await lists.story(rooms.sql, row.id)
    assert [each.by for each in story.updates] == ["lead1", "super1", "lead1"]


async def test_an_incident_moves_both_ways_and_is_reopened(lead, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    path = f"/surge/incidents/{row.id}/update"
    for version, (state, words) in enumerate(
        [("verified", "It works again."), ("identified", "It broke again."), ("verified", "Repaired anew."),
         ("resolved", "It is over.")], 1
    ):  # fmt: skip
        told = {"words.en": words, "version": str(version), "state": state}
        assert (await lead.post(path, data=told)).status_code == 303
    assert await incidents.list_live(rooms.surge) == []
    again = await lead.post(f"/surge/incidents/{row.id}/reopen", data={"version": "5"})
    assert again.status_code == 303
    assert [each.state for each in await incidents.list_live(rooms.surge)] == ["investigating"]


async def test_resolved_only_by_way_of_verified(lead, outage) -> None:
    row = await outage.declare(scope={"all": True})
    told = {"words.en": "It is over.", "version": "1", "state": "resolved"}
    answer = await lead.post(f"/surge/incidents/{row.id}/update", data=told)
    assert answer.status_code == 409
    assert "It is over.</textarea>" in answer.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"words.en": "Payments <b>fail</b>."}, "markup"),
        ({"words.en": "Payments fail 💳."}, "pictures"),
        ({"words.en": "Payments\u0000 fail\u202e."}, "cannot be seen"),
        ({"words.en": "x" * 10_000}, "s to say"),
        ({"words.en": " "}, "no words"),
        ({"words.en": "Some customers cannot pay."}, "touches everybody"),
        ({"title": ""}, "title"),
        ({"title": "<script>alert(1)</script>"}, "title"),
        ({"severity": "awful"}, "severity"),
        ({"audience": "nobody"}, "audience"),
        ({"next_min": "soon"}, "1 to 1,440 minutes"),
        ({"all": ""}, "Say whom it touches"),
        ({"all": "", "merchants": "No Such Shop"}, "No merchant is named: No Such Shop"),
    ],
)
async def test_what_must_not_be_said_is_not_said_and_not_lost(lead, rooms, given, words) -> None:
    answer = await lead.post("/surge/incidents", data=new(**given))
    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>alert(1)" not in answer.text
    assert "<b>fail" not in answer.text
    assert await incidents.list_live(rooms.surge) == []
    assert ('value="Card payments fail"' in answer.text) == ("title" not in given)


async def test_a_scope_that_touches_none_of_the_merchants(lead, rooms) -> None:
    async with rooms.sql.session() as session:
        session.add(Merchant(name="Corner Bakery", key="corner bakery", product="till"))
    answer = await lead.post("/surge/incidents", data=new(all="", products="toaster"))
    assert answer.status_code == 422
    assert "touches none of the merchants" in answer.text
    good = await lead.post("/surge/incidents", data=new(all="", merchants="corner  BAKERY"))
    assert good.status_code == 303


async def test_the_preview_without_script_keeps_what_was_typed(lead, rooms, outage, ring_in) -> None:
    await ring_in("CA1")
    row = await outage.declare(scope={"all": True})
    told = {"incident": row.id, "version": "1", "words.en": "A repair is in. We watch it.", "next_min": "15"}
    page = (await lead.post("/surge/preview", data=told)).text
    assert "A repair is in. We watch it.</textarea>" in page
    assert "28 characters" in page
    assert "1 SMS segment" in page
    assert "Reaches 1 waiting" in page
    part = (await lead.post("/surge/preview", data=told, headers={"HX-Request": "true"})).text
    assert part.startswith('<div id="preview-say"')
    assert len(await incidents.updates(rooms.surge, row.id)) == 1


async def test_a_time_that_slips_twice_is_warned_of_before_it_is_quoted_again(lead, rooms, outage) -> None:
    await lead.post("/surge/incidents", data=new(eta_min="15", eta_source="Our host"))
    (row,) = await incidents.list_live(rooms.surge)
    assert (row.eta_ms, row.eta_source) == (rooms.clock.now_ms() + 15 * 60_000, "Our host")
    path, seen = f"/surge/incidents/{row.id}/update", []
    for version, minutes in enumerate(("30", "45", "60"), 1):
        told = {"words.en": f"Fixed within {minutes} minutes.", "version": str(version), "eta_min": minutes}
        seen.append(
            "the last two slipped"
            in (await lead.post("/surge/preview", data={**told, "incident": row.id})).text
        )
        assert (await lead.post(path, data=told)).status_code == 303
    assert seen == [False, True, True]
    assert "(Our host), put off 3 times" in (await lead.get("/surge")).text
    nonsense = await lead.post(path, data={"words.en": "Soon.", "version": "4", "eta_min": "soon"})
    assert nonsense.status_code == 422
    assert "said to be fixed in 1 to 1,440 minutes" in nonsense.text


async def test_the_scope_is_changed_and_an_old_page_changes_nothing(lead, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    path = f"/surge/incidents/{row.id}/edit"
    assert (await lead.post(path, data={"version": "1", "rails": "Stripe, Adyen"})).status_code == 303
    assert (await incidents.get(rooms.surge, row.id)).scope == {"rails": ["Stripe", "Adyen"]}
    assert (await lead.post(path, data={"version": "1", "all": "1"})).status_code == 409


async def test_nobody_knows_such_an_incident(lead) -> None:
    assert (await lead.post("/surge/incidents/IN404/update", data={"words.en": "x"})).status_code == 404
    assert (await lead.get("/surge/incidents/IN404")).status_code == 404
    assert (await lead.get("/surge/incidents/IN404/chapter.md")).status_code == 404


# -- suggestions ------------------------------------------------------------------------------------------


async def test_a_suggestion_is_accepted_once(lead, other, rooms, outage, clock) -> None:
    await outage.suggest(level=Level.SURGE)
    (told,) = await suggestions.open_now(rooms.sql, clock.now_ms())
    assert "Detector suggests surge" in (await lead.get("/surge")).text
    assert (await lead.post(f"/surge/suggestions/{told.id}", data={"accept": "true"})).status_code == 303
    assert await now_level(rooms) is Level.SURGE
    late = await other.post(f"/surge/suggestions/{told.id}", data={"accept": "false"})
    assert late.status_code == 409
    assert "lead1 has accepted it" in late.text
    assert "Detector suggests surge" not in (await lead.get("/surge")).text


async def test_a_level_suggested_before_somebody_set_one_is_not_suggested_any_more(
    lead, outage, clock
) -> None:
    await outage.suggest(level=Level.WATCH)
    await outage.suggest(source="pagerduty", title="Card API errors", why="PagerDuty: Card API errors")
    clock.advance(minutes=1)
    await lead.post("/surge/level", data={"level": "2", "seen": "0"})
    page = (await lead.get("/surge")).text
    assert "Detector suggests" not in page
    assert "Pagerduty suggests an incident" in page
    clock.advance(minutes=1)
    await outage.suggest(level=Level.CALM)
    assert "Detector suggests calm" in (await lead.get("/surge")).text


async def test_the_timeline_tells_what_was_decided_and_which_level_was_suggested(lead, outage) -> None:
    row = await outage.declare()
    await outage.turned_away(1, row.id)
    await lead.post("/followups/many", data={"chosen": "CAturned0", "verb": "reached"})
    await outage.suggest(level=Level.WATCH)
    page = (await lead.get("/surge")).text
    assert "Suggested: watch" in page
    assert "Declared" in page
    assert "Follow-ups worked off" not in page


async def test_a_suggestion_is_dismissed_and_changes_nothing(lead, rooms, outage, clock) -> None:
    await outage.suggest(level=Level.SURGE)
    (told,) = await suggestions.open_now(rooms.sql, clock.now_ms())
    await lead.post(f"/surge/suggestions/{told.id}", data={"accept": "false"})
    assert await now_level(rooms) is Level.CALM
    assert await suggestions.open_now(rooms.sql, clock.now_ms()) == []
    assert (await lead.post("/surge/suggestions/9999", data={"accept": "true"})).status_code == 422


async def test_an_incident_that_was_suggested_is_declared_in_words_of_ours(
    lead, rooms, outage, clock
) -> None:
    await outage.suggest(source="pagerduty", title="Card API errors", why="PagerDuty: Card API errors")
    (told,) = await suggestions.open_now(rooms.sql, clock.now_ms())
    form = (await lead.get(f"/surge?suggestion={told.id}")).text
    assert 'value="Card API errors"' in form
    await lead.post("/surge/incidents", data=new(suggestion=str(told.id)))
    (row,) = await incidents.list_live(rooms.surge)
    assert row.suggested_by == "pagerduty"
    with pytest.raises(Conflict):
        await suggestions.answer(rooms.sql, told.id, "super1", clock.now_ms(), accepted=False)


# -- the band, and the desk ---------------------------------------------------------------------------------


async def test_the_desk_says_why_the_contact_matches(sign_in, rooms, outage, clock) -> None:
    from dashboard.band import match_view

    await outage.declare(scope={"products": ["till"]})
    directive = await rooms_directive(rooms, clock)
    told = match_view(directive, Card(product="till"))
    assert (told.word, told.reason) == ("Match", "it touches till")
    assert match_view(directive, Card(product="terminal")).word == "No match"
    assert match_view(directive, Card()).word == "Maybe"
    assert match_view(directive, None) is None
    (incident,) = directive.incidents
    says_so = Card(incident=incident.id, match="match", reason="they say that their call is about this")
    told = match_view(directive, says_so)
    assert (told.word, told.title, told.reason) == ("Match", incident.title, says_so.reason)
    assert match_view(directive, replace(says_so, incident="INgone")).word == "Maybe"


async def test_a_dry_run_shows_how_many_calls_it_would_have_turned_away(rooms, clock, sign_in) -> None:
    from queueing.tables import ContactEvent
    from surge import switch
    from surge.states import Level

    now_ms = clock.now_ms()
    await switch.set_mode(rooms.surge, "dry_run", "lead1", now_ms)
    await switch.suggest(rooms.surge, Level.SURGE, "the wait is long", now_ms)
    async with rooms.sql.session() as session:
        for number, call in enumerate(("CA1", "CA1", "CA2")):
            session.add(ContactEvent(id=f"{number}-0", contact=call, kind="spared", at_ms=now_ms))
        session.add(ContactEvent(id="9-0", contact="CA3", kind="spared", at_ms=now_ms - 1))
    assert (await rooms_directive(rooms, clock)).would == 2
    page = (await (await sign_in("lead1")).get("/surge")).text
    assert "Would have deflected" in page
    assert "dry run: nobody was turned away" in page


async def rooms_directive(rooms, clock):  # type: ignore[no-untyped-def]
    from surge.board import publish

    return await publish(rooms.surge, clock.now_ms())


async def test_no_band_on_an_ordinary_day(sign_in) -> None:
    page = (await (await sign_in("agent1")).get("/desk")).text
    assert '<div id="band"></div>' in page


async def test_the_band_says_that_news_are_old(sign_in, rooms, outage, clock) -> None:
    await outage.declare()
    agent = await sign_in("agent1")
    await rooms_directive(rooms, clock)
    clock.advance(ms=rooms.surge.policy.stale_ms)
    assert "callers hear neutral words" not in (await agent.get("/desk")).text
    clock.advance(ms=1_000)
    assert "old news: callers hear neutral words" in (await agent.get("/desk")).text


async def test_the_band_tells_its_owner_what_is_due_and_nobody_else(sign_in, rooms, outage, clock) -> None:
    row = await outage.declare()
    now_ms = clock.now_ms()
    due_ms = now_ms + commitments.DAY_MS
    made = await commitments.make(rooms.surge, row.id, "Post-mortem", "Lead 1", due_ms + 1, "super1", now_ms)
    lead, other = await sign_in("lead1"), await sign_in("super1")
    await rooms_directive(rooms, clock)
    assert "Due: Post-mortem" not in (await lead.get("/desk")).text
    clock.advance(ms=1_000)
    await rooms_directive(rooms, clock)
    assert 'aria-label="Due: Post-mortem"' in (await lead.get("/desk")).text
    assert "Due: Post-mortem" not in (await other.get("/desk")).text
    await commitments.done(rooms.surge, made.id, "lead1", clock.now_ms())
    clock.advance(ms=1_000)
    await rooms_directive(rooms, clock)
    assert "Due: Post-mortem" not in (await lead.get("/desk")).text


# -- the drill -----------------------------------------------------------------------------------------------


async def test_the_console_says_when_a_drill_is_due(lead, clock, tmp_path) -> None:
    assert "A drill is due now" in (await lead.get("/surge")).text
    held = Rehearsal(clock.now_ms(), "upserve", "Upserve, 7 February 2017", 1)
    rehearsals.keep(tmp_path, held, {})
    page = (await lead.get("/surge")).text
    assert "Upserve, 7 February 2017" in page
    assert "every law of the line was held" in page
    assert "A drill is due now" not in page


def test_the_timeline_says_which_state_an_update_posted() -> None:
    row = SurgeEvent(
        at_ms=1,
        kind="update",
        by="ann",
        incident="IN1",
        words="It works.",
        fields={"state": "resolved"},
    )
    (shown,) = event_views([row], {"ann": "Ann"}, {"IN1": "Tills freeze"})
    assert (shown.what, shown.by, shown.words) == (
        "Update posted: resolved", "Ann", "Tills freeze · It works.",
    )  # fmt: skip
