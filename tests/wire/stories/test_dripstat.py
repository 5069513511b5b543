"""DripStat: the host's region was out, an attack was under way, and the hypervisor killed processes, all at
once; "just a few minutes", the host said, again and again.

Lessons: several incidents live side by side, and the end of one is not the end of the others; a borrowed ETA
that slips twice is quoted no more.
"""

from __future__ import annotations

from tests.wire.stories.centre import SOMETHING_ELSE, TAKES_THE_TEXT, comes_to

MERCHANTS = """name,numbers,product,region,device
Near Shop,+1 415 555 0001,Collector,East,Agent 2
Far Shop,+1 415 555 0002,Collector,West,Agent 2
"""
NEAR, FAR = "+14155550001", "+14155550002"
HOST = "Our host's load balancer in the East is down."
ATTACK = "Sign-in is slow for everybody, because of an attack on our network."
KILLED = "Collectors with Agent 2 restart by themselves."


async def test_three_causes_at_once_and_a_borrowed_eta(centre, clock):
    comes_to(clock, 2, 13)
    drip = await centre(MERCHANTS)
    lead = drip.lead
    host = await lead.declares(
        "Region East is down", HOST, regions="East", severity="critical", eta_min="10", eta_source="Our host"
    )
    attack = await lead.declares("Sign-in is slow", ATTACK, all="1", severity="major")
    killed = await lead.declares("Collectors restart", KILLED, devices="Agent 2", severity="minor")
    await lead.sets_level(2)

    # The gravest that touches them first, and they are asked about it; the next when they say it is another.
    near = await drip.calls_in(NEAR, **TAKES_THE_TEXT)
    assert drip.heard_by(near).count("As of") == 1
    assert HOST in drip.heard_by(near)
    far = await drip.calls_in(FAR, presses=[{**SOMETHING_ELSE, "times": 2}], s=60)
    heard = drip.heard_by(far)
    assert HOST not in heard
    assert heard.index(ATTACK) < heard.index("We also know of another problem.") < heard.index(KILLED)
    assert "How can we help?" in heard
    await drip.hangs_up(far)
    assert HOST in drip.read_by(NEAR)[0]
    again = await drip.calls_in("+14155550009", presses=[*TAKES_THE_TEXT["presses"]])
    assert ATTACK in drip.read_by("+14155550009")[0]
    assert again.ended

    # "Just a few minutes": noted with who says so, and after the second slip the lead is advised against it.
    later = "The host says: repaired in about ten minutes."
    seen = []
    for words in ("Repaired in ten minutes, the host says.", later, "In ten minutes, they say again."):
        await drip.goes_by(12)
        seen.append("the last two slipped" in await lead.warnings(host, words, eta_min="10"))
        await lead.says(host, words, eta_min="10")
    assert seen == [False, True, True]
    told = await lead.sees(host)
    assert (told.eta_slips, told.eta_source) == (3, "Our host")

    # One is over. Its people are told, once; the others go on, on the phone and in texts.
    await lead.says(host, "The East is up again.", state="verified")
    await lead.says(host, "The East stays up.", state="resolved")
    await drip.goes_by(20)
    assert "fixed on our side: Region East is down" in drip.read_by(NEAR)[-1]
    assert not [body for body in drip.read_by("+14155550009") if "fixed" in body or "over" in body]
    await lead.says(attack, "The attack goes on; sign-in takes a minute.")
    last = await drip.calls_in(NEAR, presses=[{**SOMETHING_ELSE, "times": 2}], s=60)
    assert "The attack goes on" in drip.heard_by(last)
    assert "East" not in drip.heard_by(last)
    assert "We know of this problem: Collectors restart." in drip.heard_by(last)  # nobody posted for an hour
    await drip.hangs_up(last)
    assert {row.title: row.state for row in (await lead.sees(attack), await lead.sees(killed))} == {
        "Sign-in is slow": "investigating", "Collectors restart": "investigating",
    }  # fmt: skip
    assert "The attack goes on" in drip.read_by("+14155550009")[-1]
