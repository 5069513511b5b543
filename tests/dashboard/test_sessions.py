from __future__ import annotations

from dashboard.sessions import (
    ABSOLUTE_MS,
    IDLE_MS,
    LINK_MS,
    VISIT_MS,
    Seals,
    Session,
    screen_link,
    sign_in_link,
)

NOW = 1_700_000_000_000
seals = Seals("one secret")


def test_a_session_comes_back_from_its_cookie() -> None:
    session = seals.begin("agent1", "stamp", NOW)
    assert seals.unseal(seals.seal(session), NOW) == session


def test_a_session_ends_after_half_an_hour_unused() -> None:
    cookie = seals.seal(seals.begin("agent1", "stamp", NOW))
    assert seals.unseal(cookie, NOW + IDLE_MS)
    assert seals.unseal(cookie, NOW + IDLE_MS + 1) is None


def test_a_session_ends_after_twelve_hours_however_busy() -> None:
    begun = seals.begin("agent1", "stamp", NOW)
    busy = Session(begun.agent, begun.sid, begun.stamp, begun.issued_ms, NOW + ABSOLUTE_MS)
    assert seals.unseal(seals.seal(busy), NOW + ABSOLUTE_MS)
    assert seals.unseal(seals.seal(busy), NOW + ABSOLUTE_MS + 1) is None


def test_what_another_key_signed_is_nothing() -> None:
    other = Seals("another secret")
    assert seals.unseal(other.seal(other.begin("agent1", "stamp", NOW)), NOW) is None
    assert seals.read_link(other.link("agent1", NOW), NOW) is None
    assert seals.read_screen(other.screen("wall")) is None


def test_one_kind_of_token_does_not_pass_for_another() -> None:
    assert seals.unseal(seals.link("agent1", NOW), NOW) is None
    assert seals.read_link(seals.screen("wall"), NOW) is None
    assert seals.read_screen(seals.visit(NOW)) is None
    assert seals.unseal("", NOW) is None
    assert seals.unseal("x" * 5_000, NOW) is None


def test_a_link_is_good_for_ten_minutes() -> None:
    token = seals.link("agent1", NOW)
    told = seals.read_link(token, NOW + LINK_MS)
    assert told is not None
    assert told[0] == "agent1"
    assert seals.read_link(token, NOW + LINK_MS + 1) is None


def test_links_name_the_public_address() -> None:
    assert sign_in_link("s", "https://line.example/", "a", NOW).startswith("https://line.example/sign-in/")
    assert screen_link("s", "https://line.example").startswith("https://line.example/wallboard/")


def test_a_sign_in_form_belongs_to_the_browser_that_was_given_it() -> None:
    visit = seals.visit(NOW)
    assert seals.visit_fits(visit, visit, NOW)
    assert not seals.visit_fits(visit, seals.visit(NOW), NOW)
    assert not seals.visit_fits("", "", NOW)
    assert not seals.visit_fits("made up", "made up", NOW)
    assert not seals.visit_fits(visit, visit, NOW + VISIT_MS + 1)


def test_the_token_is_the_sessions_own() -> None:
    one, two = seals.begin("agent1", "stamp", NOW), seals.begin("agent1", "stamp", NOW)
    assert seals.csrf_fits(one, seals.csrf(one))
    assert not seals.csrf_fits(one, seals.csrf(two))
    assert not seals.csrf_fits(one, "")
