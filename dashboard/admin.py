"""For administrators: the people who may sign in, the merchant directory, wallboard screens. And for
supervisors the recorded messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from carrier.numbers import masked, normalise
from dashboard import record
from dashboard.accounts import Account
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.reports import PAGE, pager
from dashboard.rooms import Rooms
from dashboard.sessions import screen_link
from dashboard.templating import roles
from dashboard.uploads import content_of, refused
from dashboard.views import Said
from foundation.errors import Mendable
from merchants import directory

router = APIRouter(route_class=Doorway, include_in_schema=False)

IMPORT_S = 20.0

Agent = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=120)]
Secret = Annotated[str, Form(max_length=200)]


# -- accounts --------------------------------------------------------------------------------------


@router.get("/admin")
async def accounts(request: Request, floor: FloorDep, who: WhoDep, done: str = "") -> Response:
    return await _accounts(request, floor, who, said=DONE.get(done))


DONE = {
    "added": Said(
        "good", "The account is there", "Tell its owner the login and the password, each by another way."
    ),
    "changed": Said("good", "Changed"),
    "password": Said("good", "The password is set", "Whoever was signed in with the old one is signed out."),
    "deactivated": Said("good", "The account is shut", "Its sessions ended."),
    "activated": Said("good", "The account is open again"),
    "message": Said("good", "Marked as done"),
}


@router.post("/admin/accounts")
async def add_account(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    agent: Agent,
    password: Secret,
    role: Annotated[str, Form(max_length=20)] = "agent",
    name: Short = "",
    phone: Short = "",
) -> Response:
    async def add() -> None:
        skills = _skills(floor.rooms, await request.form())
        number = normalise(phone, floor.rooms.region) if phone.strip() else ""
        await floor.gate.accounts.add(
            agent=agent, name=name, role=role, password=password, phone=number, skills=skills
        )

    kept = {"agent": agent, "name": name, "role": role, "phone": phone}
    return await _change(request, floor, who, add, "added", kept)


@router.post("/admin/accounts/{agent}")
async def change_account(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    agent: str,
    role: Annotated[str, Form(max_length=20)],
    name: Short = "",
    phone: Short = "",
) -> Response:
    async def change() -> None:
        skills = _skills(floor.rooms, await request.form())
        known = await floor.gate.accounts.find(agent, floor.rooms.wall.now_ms(), fresh=True)
        number = _number(floor.rooms, phone, known)
        await floor.gate.accounts.change(agent, name=name, role=role, phone=number, skills=skills)

    return await _change(request, floor, who, change, "changed")


def _number(rooms: Rooms, typed: str, known: Account | None) -> str:
    """The number typed; the masked number, left as it was shown, stays what it is."""
    if known and known.phone and typed.strip() == masked(known.phone):
        return known.phone
    return normalise(typed, rooms.region) if typed.strip() else ""


@router.post("/admin/accounts/{agent}/password")
async def set_password(
    request: Request, floor: FloorDep, who: WhoDep, agent: str, password: Secret
) -> Response:
    async def change() -> None:
        await floor.gate.accounts.change(agent, password=password)

    return await _change(request, floor, who, change, "password")


@router.post("/admin/accounts/{agent}/deactivate")
async def deactivate(request: Request, floor: FloorDep, who: WhoDep, agent: str) -> Response:
    async def change() -> None:
        if agent == who.agent:
            raise Mendable("You cannot shut your own account: another admin can.")
        await floor.gate.accounts.change(agent, active=False)
        await floor.rooms.roster.off(agent, floor.rooms.clock.now_ms())

    return await _change(request, floor, who, change, "deactivated")


@router.post("/admin/accounts/{agent}/activate")
async def activate(request: Request, floor: FloorDep, who: WhoDep, agent: str) -> Response:
    async def change() -> None:
        await floor.gate.accounts.change(agent, active=True)

    return await _change(request, floor, who, change, "activated")


def _skills(rooms: Rooms, form: Mapping[str, object]) -> dict[str, int]:
    """Queues that are ticked, each with its handicap in seconds."""
    skills: dict[str, int] = {}
    for queue in rooms.policy.queues:
        if form.get(f"serves.{queue.name}"):
            typed = str(form.get(f"handicap.{queue.name}") or "0").strip()
            if not typed.isdecimal() or int(typed) > 3_600:
                raise Mendable(f"{queue.name}: a handicap is a number of seconds from 0 to 3,600.")
            skills[queue.name] = int(typed) * 1_000
    return skills


async def _change(
    request: Request,
    floor: Floor,
    who: Who,
    change: record.Change,
    done: str,
    kept: dict[str, str] | None = None,
) -> Response:
    """Make a change; show the page anew, or with what is wrong."""
    try:
        await change()
    except Mendable as bad:
        said = Said("past", "Nothing was changed", str(bad))
        return await _accounts(request, floor, who, said=said, status=422, kept=kept)
    return RedirectResponse(f"/admin?done={done}", 303)


async def _accounts(
    request: Request,
    floor: Floor,
    who: Who,
    *,
    said: Said | None = None,
    status: int = 200,
    kept: dict[str, str] | None = None,
) -> Response:
    found = await floor.gate.accounts.all()
    return floor.templates.page(
        request,
        "admin_accounts.html",
        here="admin",
        who=who,
        status=status,
        tab="accounts",
        said=said,
        kept=kept or {"agent": "", "name": "", "role": "agent", "phone": ""},
        accounts=[(account, masked(account.phone) if account.phone else "") for account in found],
        roles=roles(),
        queues=[queue.name for queue in floor.rooms.policy.queues],
    )


# -- merchants -------------------------------------------------------------------------------------


@router.get("/admin/merchants")
async def merchants(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    q: Annotated[str, Query(max_length=120)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    return await _merchants(request, floor, who, q=q, start=start)


@router.post("/admin/merchants")
async def import_merchants(
    request: Request, floor: FloorDep, who: WhoDep, sheet: Annotated[UploadFile, File()]
) -> Response:
    """All of the file, or, when a line is bad, nothing and every bad line with its reason."""
    rooms = floor.rooms
    try:
        content = await content_of(sheet)
        async with rooms.sql.session(statement_s=IMPORT_S) as session:
            report = await directory.import_csv(
                session,
                content,
                normalise=lambda number: normalise(number, rooms.region),
                tiers=rooms.tiers,
                languages=rooms.languages,
            )
    except Mendable as bad:
        return await _merchants(request, floor, who, said=refused(bad), status=422)
    words = (
        f"{report.added} added, {report.updated} brought up to date; "
        f"{report.numbers} numbers and {report.locations} locations."
    )
    return await _merchants(request, floor, who, said=Said("good", "Imported", words))


async def _merchants(
    request: Request,
    floor: Floor,
    who: Who,
    *,
    q: str = "",
    start: int = 0,
    said: Said | None = None,
    status: int = 200,
) -> Response:
    async with floor.rooms.sql.reading() as session:
        known = await directory.count(session)
        found = await directory.search(session, q, start=start, most=PAGE + 1)
        rows = [(merchant, await directory.numbers_of(session, merchant.id)) for merchant in found[:PAGE]]
    total = known if not q.strip() else start + len(found)
    return floor.templates.page(
        request,
        "admin_merchants.html",
        here="admin",
        who=who,
        status=status,
        tab="merchants",
        said=said,
        q=q,
        known=known,
        rows=[(merchant, [masked(number) for number in numbers]) for merchant, numbers in rows],
        page=pager(start, PAGE, total, len(rows), "/admin/merchants", record.encoded(q=q)),
        tiers=rooms_words(floor.rooms.tiers),
        languages=rooms_words(floor.rooms.languages),
    )


def rooms_words(words: tuple[str, ...]) -> str:
    return ", ".join(words)


# -- screens ---------------------------------------------------------------------------------------


@router.get("/admin/screens")
async def screens(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    return floor.templates.page(
        request, "admin_screens.html", here="admin", who=who, tab="screens", said=None, link="", name=""
    )


@router.post("/admin/screens")
async def make_screen(request: Request, floor: FloorDep, who: WhoDep, name: Short = "") -> Response:
    """A link that shows the wallboard without signing in. It is not kept: make another when it is lost."""
    told = " ".join(name.split()) or "wall"
    return floor.templates.page(
        request,
        "admin_screens.html",
        here="admin",
        who=who,
        tab="screens",
        said=None,
        link=screen_link(floor.rooms.secret_key, floor.rooms.public_url, told),
        name=told,
    )


# -- messages --------------------------------------------------------------------------------------


@router.get("/messages")
async def messages(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    all: bool = False,
    done: str = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    rows, total = await record.messages(floor.rooms, everything=all, start=start, count=PAGE)
    return floor.templates.page(
        request,
        "messages.html",
        here="messages",
        who=who,
        said=DONE.get(done),
        rows=rows,
        everything=all,
        page=pager(start, PAGE, total, len(rows), "/messages", "all=true" if all else ""),
    )


@router.post("/messages/{message}/done")
async def message_done(floor: FloorDep, who: WhoDep, message: str) -> Response:
    await record.finish_message(floor.rooms, message, who.agent)
    return RedirectResponse("/messages?done=message", 303)
