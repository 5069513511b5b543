"""Queues and their members over REST."""

from __future__ import annotations

from typing import Any

from drill.network.exchange import API_VERSION, Exchange, new_sid, rfc2822
from drill.network.legs import Course
from drill.network.queues import CallQueue, Member
from drill.network.rest.door import Ask, Reply, operation, page
from drill.network.rest.refusals import Refusal

LARGEST = 5000


@operation("CreateQueue", "FriendlyName MaxSize")
async def create(ask: Ask) -> Reply:
    name = _name(ask)
    if any(queue.name == name for queue in ask.exchange.queues.values()):
        raise Refusal(20001, f"there is a queue {name!r} already")
    queue = CallQueue(new_sid("QU"), name, _size(ask, 1000), ask.exchange.now_ms())
    ask.exchange.queues[queue.sid] = queue
    return Reply(view(ask.exchange, queue), 201)


@operation("ListQueue")
async def listed(ask: Ask) -> Reply:
    return page(ask, "queues", list(ask.exchange.queues.values()), view)


@operation("FetchQueue")
async def fetch(ask: Ask) -> Reply:
    return Reply(view(ask.exchange, _queue(ask, "Sid")))


@operation("UpdateQueue", "FriendlyName MaxSize")
async def update(ask: Ask) -> Reply:
    queue = _queue(ask, "Sid")
    if "FriendlyName" in ask.values:
        queue.name = _name(ask)
    queue.max_size = _size(ask, queue.max_size)
    queue.updated_ms = ask.exchange.now_ms()
    return Reply(view(ask.exchange, queue))


@operation("DeleteQueue")
async def delete(ask: Ask) -> Reply:
    queue = _queue(ask, "Sid")
    if len(queue):
        raise Refusal(20001, "the queue is not empty")
    del ask.exchange.queues[queue.sid]
    return Reply(None, 204)


@operation("ListMember")
async def members(ask: Ask) -> Reply:
    queue = _queue(ask, "QueueSid")
    return page(
        ask, "queue_members", queue.members, lambda exchange, each: member_view(exchange, queue, each)
    )


@operation("FetchMember")
async def member(ask: Ask) -> Reply:
    queue = _queue(ask, "QueueSid")
    return Reply(member_view(ask.exchange, queue, _member(ask, queue)))


@operation("UpdateMember", "Url Method")
async def dequeue(ask: Ask) -> Reply:
    """Take a call out of the queue: its Enqueue's action is told at once, and it follows ``Url``."""
    queue = _queue(ask, "QueueSid")
    url = ask.url("Url")
    if not url:
        raise Refusal(21205)
    taken = _member(ask, queue)
    shown = member_view(ask.exchange, queue, taken)
    ask.exchange.divert(taken.leg, Course(url, ask.text("Method", "POST")))
    return Reply(shown)


def view(exchange: Exchange, queue: CallQueue) -> dict[str, Any]:
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Queues/{queue.sid}"
    return {
        "sid": queue.sid,
        "account_sid": exchange.account.sid,
        "friendly_name": queue.name,
        "current_size": len(queue),
        "max_size": queue.max_size,
        "average_wait_time": queue.average_wait_s(exchange.now_ms()),
        "date_created": rfc2822(queue.created_ms),
        "date_updated": rfc2822(queue.updated_ms or queue.created_ms),
        "uri": f"{base}.json",
    }


def member_view(exchange: Exchange, queue: CallQueue, member: Member) -> dict[str, Any]:
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Queues/{queue.sid}"
    return {
        "call_sid": member.leg.sid,
        "queue_sid": queue.sid,
        "date_enqueued": rfc2822(member.entered_ms),
        "position": queue.position(member),
        "wait_time": (exchange.now_ms() - member.entered_ms) // 1000,
        "uri": f"{base}/Members/{member.leg.sid}.json",
    }


def _queue(ask: Ask, name: str) -> CallQueue:
    queue = ask.exchange.queues.get(ask.named[name])
    if queue is None:
        raise Refusal(20404, ask.path)
    return queue


def _member(ask: Ask, queue: CallQueue) -> Member:
    """Raises Refusal: 404 when the call is not in this queue, 21220 when it is over."""
    sid = ask.named["CallSid"]
    found = queue.member(sid)
    if found is not None:
        return found
    leg = ask.exchange.legs.get(sid)
    if leg is not None and leg.ended:
        raise Refusal(21220)
    raise Refusal(20404, ask.path)


def _name(ask: Ask) -> str:
    name = ask.text("FriendlyName")
    if not 1 <= len(name) <= 64:
        raise Refusal(20001, "FriendlyName has 1 to 64 characters")
    return name


def _size(ask: Ask, default: int) -> int:
    size = ask.whole("MaxSize", default)
    if not 1 <= size <= LARGEST:
        raise Refusal(20001, f"MaxSize is 1 to {LARGEST}")
    return size
