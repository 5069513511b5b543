"""Twilio's REST operations as we use them. The only module that imports ``twilio.rest``.

Rules: every call has one deadline (the SDK's own timeout is ignored by its async client), nothing is
tried twice here, and what may have happened is told apart from what surely did not:

- ``Refused``: Twilio said no; asking again the same way is of no use.
- ``Busy``: Twilio did not process it (429); asking later is safe.
- ``Ambiguous``: an act was asked for and no answer came; it may have been done. Look it up, never repeat it.
- ``Unavailable``: something that may be repeated safely was not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from aiohttp import ClientError
from twilio.base.exceptions import TwilioException
from twilio.rest import Client
from twilio.rest.api import Api

from carrier.answers import (
    Ambiguous,
    Busy,
    Call,
    Dequeued,
    Member,
    Message,
    OwnedNumber,
    Refused,
    TwilioQueue,
)
from carrier.wire import Wire, call_of, mapped, message_of, ms
from foundation.errors import SurgelineError, Unavailable

__all__ = [
    "Ambiguous",
    "Busy",
    "Call",
    "Carrier",
    "Dequeued",
    "Member",
    "Message",
    "OwnedNumber",
    "Refused",
    "TwilioQueue",
]

T = TypeVar("T")
LOADED = Api
"""The SDK would import its resources on first use, for a second, inside the first call's deadline."""
LARGEST_QUEUE = 5000
NOT_IN_PROGRESS = 21220
PAGE = 1000


class Carrier:
    """Twilio, for one account. Make it anywhere; it connects on first use, in the loop it is used in."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_base_url: str | None = None,
        api_key: tuple[str, str] | None = None,
        timeout_s: float = 10.0,
        wire: Callable[[], Any] = Wire,
    ) -> None:
        """``api_key`` is (SID, secret), used instead of the auth token. ``api_base_url``: another host.
        ``wire`` makes the SDK's HTTP client, in the loop that it is used in."""
        self.account_sid = account_sid
        self.timeout_s = timeout_s
        self._user, self._password = api_key or (account_sid, auth_token)
        self._api_base_url = api_base_url
        self._wire = wire
        self._made: Client | None = None
        self._queue_sids: dict[str, str] = {}

    # -- calls -------------------------------------------------------------------------------------

    async def dial(
        self,
        to: str,
        from_: str,
        url: str,
        *,
        status_callback: str | None = None,
        status_events: tuple[str, ...] = ("completed",),
        fallback_url: str | None = None,
        timeout_s: int = 20,
    ) -> str:
        """Ring ``to``; the picked-up call asks ``url``. Its SID. Raises Refused, Busy, Ambiguous."""
        given = {"to": to, "from_": from_, "url": url, "timeout": timeout_s}
        if status_callback is not None:
            given |= {"status_callback": status_callback, "status_callback_event": list(status_events)}
        if fallback_url is not None:
            given["fallback_url"] = fallback_url
        call = await self._act(lambda: self._client.calls.create_async(**given))
        return str(call.sid)

    async def redirect(self, call_sid: str, url: str) -> None:
        """Send a call that is in progress to another document. Raises Refused (21220: it is not)."""
        await self._ask(lambda: self._client.calls(call_sid).update_async(url=url, method="POST"))

    async def hang_up(self, call_sid: str) -> None:
        """End a call. One that is over already is well."""
        await self._end(call_sid, "completed")

    async def cancel(self, call_sid: str) -> None:
        """Withdraw a call that has not been answered. One that is over or answered is left alone."""
        await self._end(call_sid, "canceled")

    async def call(self, call_sid: str) -> Call | None:
        """The call as it is now; None when Twilio knows none."""
        try:
            return call_of(await self._ask(lambda: self._client.calls(call_sid).fetch_async()))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def calls(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        since_ms: int | None = None,
        limit: int = 100,
    ) -> list[Call]:
        """Calls, newest first: how an ambiguous dial is looked up."""
        given: dict[str, Any] = {"limit": limit}
        if to is not None:
            given["to"] = to
        if from_ is not None:
            given["from_"] = from_
        if since_ms is not None:
            given["start_time_after"] = datetime.fromtimestamp(since_ms / 1000, UTC)
        found = await self._ask(lambda: self._client.calls.list_async(**given))
        return [call_of(each) for each in found]

    async def _end(self, call_sid: str, status: str) -> None:
        try:
            await self._ask(lambda: self._client.calls(call_sid).update_async(status=status))
        except Refused as refused:
            if refused.code != NOT_IN_PROGRESS and refused.status != 404:
                raise

    # -- texts -------------------------------------------------------------------------------------

    async def text(self, to: str, from_: str, body: str, *, status_callback: str | None = None) -> str:
        """Have a text sent; its SID. Raises Refused (21610: the number has opted out), Busy, Ambiguous."""
        given = {"to": to, "from_": from_, "body": body}
        if status_callback is not None:
            given["status_callback"] = status_callback
        made = await self._act(lambda: self._client.messages.create_async(**given))
        return str(made.sid)

    async def texts(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        since_ms: int | None = None,
        limit: int = PAGE,
    ) -> list[Message]:
        """Texts in and out, newest first: how an unknown answer is looked up.

        Of the newest ``limit``, those made since ``since_ms``, to Twilio's second. Twilio would filter by
        when they were sent, which a text that is still queued was not.
        """
        given: dict[str, Any] = {"limit": limit}
        if to is not None:
            given["to"] = to
        if from_ is not None:
            given["from_"] = from_
        found = await self._ask(lambda: self._client.messages.list_async(**given))
        messages = [message_of(each) for each in found]
        since_ms = since_ms or 0
        return [each for each in messages if each.created_ms >= since_ms - since_ms % 1000]

    async def message(self, sid: str) -> Message | None:
        """The text as it is now; None when Twilio knows none."""
        try:
            return message_of(await self._ask(lambda: self._client.messages(sid).fetch_async()))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    # -- queues ------------------------------------------------------------------------------------

    async def dequeue(self, queue: str, call_sid: str, url: str) -> Dequeued:
        """Take exactly this call out of its queue, to ``url``. ``queue`` is a name or a SID.

        LOST when it has left already. Raises Ambiguous when no answer came: then the call itself says, by
        asking ``url`` or not. Raises Unavailable when a queue's name could not be looked up.
        """
        try:
            sid = await self._queue_sid(queue)
            if sid is None:
                return Dequeued.LOST
            member = self._client.queues(sid).members(call_sid)
            await self._act(lambda: member.update_async(url=url, method="POST"))
        except Refused as refused:
            if refused.status == 404 or refused.code == NOT_IN_PROGRESS:
                return Dequeued.LOST
            raise
        return Dequeued.TOOK

    async def queues(self) -> list[TwilioQueue]:
        found = await self._ask(lambda: self._client.queues.list_async(page_size=PAGE))
        queues = [
            TwilioQueue(each.sid, each.friendly_name, each.current_size, each.max_size) for each in found
        ]
        self._queue_sids.update({queue.name: queue.sid for queue in queues})
        return queues

    async def ensure_queue(self, name: str, max_size: int = LARGEST_QUEUE) -> str:
        """The SID of the queue of that name, made or widened when need be."""
        for queue in await self.queues():
            if queue.name == name:
                if queue.max_size < max_size:
                    known = self._client.queues(queue.sid)
                    await self._ask(partial(known.update_async, max_size=max_size))
                return queue.sid
        made = await self._act(
            lambda: self._client.queues.create_async(friendly_name=name, max_size=max_size)
        )
        self._queue_sids[name] = str(made.sid)
        return str(made.sid)

    async def members(self, queue: str) -> list[Member]:
        """Everybody in a queue (name or SID), from the front; nobody in a queue there is not."""
        sid = await self._queue_sid(queue)
        if sid is None:
            return []
        found = await self._ask(lambda: self._client.queues(sid).members.list_async(page_size=PAGE))
        return [
            Member(each.call_sid, sid, each.position, ms(each.date_enqueued) or 0, each.wait_time)
            for each in found
        ]

    async def _queue_sid(self, queue: str) -> str | None:
        if queue.startswith("QU") and len(queue) == 34:
            return queue
        if queue not in self._queue_sids:
            await self.queues()
        return self._queue_sids.get(queue)

    # -- conferences -------------------------------------------------------------------------------

    async def hold(self, conference: str, call_sid: str, held: bool, wait_url: str | None = None) -> bool:
        """Put a participant on hold, or take it back. False when it is not in that conference."""
        participant = await self._participant(conference, call_sid)
        if participant is None:
            return False
        given: dict[str, Any] = {"hold": held}
        if held and wait_url is not None:
            given |= {"hold_url": wait_url, "hold_method": "POST"}
        return await self._there(lambda: participant.update_async(**given))

    async def remove(self, conference: str, call_sid: str) -> bool:
        """Put a participant out of a conference. False when it is not there."""
        participant = await self._participant(conference, call_sid)
        if participant is None:
            return False
        return await self._there(participant.delete_async)

    async def participants(self, conference: str) -> frozenset[str]:
        """The labels of those who are in the running conference of that name; nobody when there is none."""
        sid = await self._running(conference)
        if sid is None:
            return frozenset()
        found = await self._ask(lambda: self._client.conferences(sid).participants.list_async(limit=10))
        return frozenset(str(each.label) for each in found if str(each.status) == "connected")

    async def _participant(self, conference: str, call_sid: str) -> Any | None:
        sid = await self._running(conference)
        return None if sid is None else self._client.conferences(sid).participants(call_sid)

    async def _running(self, conference: str) -> str | None:
        """The SID of the running conference of that name."""
        found = await self._ask(
            lambda: self._client.conferences.list_async(friendly_name=conference, limit=5)
        )
        return next((str(each.sid) for each in found if str(each.status) != "completed"), None)

    async def _there(self, work: Callable[[], Awaitable[Any]]) -> bool:
        try:
            await self._ask(work)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return True

    # -- numbers -----------------------------------------------------------------------------------

    async def numbers(self) -> list[OwnedNumber]:
        found = await self._ask(lambda: self._client.incoming_phone_numbers.list_async(limit=PAGE))
        return [
            OwnedNumber(
                each.sid,
                each.phone_number,
                each.voice_url or "",
                each.voice_fallback_url or "",
                each.status_callback or "",
                each.sms_url or "",
                each.sms_fallback_url or "",
            )
            for each in found
        ]

    async def point_number(
        self,
        sid: str,
        *,
        voice_url: str,
        fallback_url: str,
        status_url: str,
        sms_url: str = "",
        sms_fallback_url: str = "",
    ) -> None:
        """Have a number's calls and texts ask us. An empty address takes one away."""
        number = self._client.incoming_phone_numbers(sid)
        await self._ask(
            lambda: number.update_async(
                voice_url=voice_url,
                voice_method="POST",
                voice_fallback_url=fallback_url,
                voice_fallback_method="POST",
                status_callback=status_url,
                status_callback_method="POST",
                sms_url=sms_url,
                sms_method="POST",
                sms_fallback_url=sms_fallback_url,
                sms_fallback_method="POST",
            )
        )

    # -- the wire ----------------------------------------------------------------------------------

    async def close(self) -> None:
        if self._made is not None:
            await self._made.http_client.close()
            self._made = None

    @property
    def _client(self) -> Any:
        """Made in the running loop, as the SDK's session demands."""
        if self._made is None:
            client = Client(self._user, self._password, self.account_sid, http_client=self._wire())
            if self._api_base_url:
                client.api.base_url = self._api_base_url.rstrip("/")
            self._made = client
        return self._made

    async def _act(self, work: Callable[[], Awaitable[T]]) -> T:
        """Something that must not be done twice. Raises Refused, Busy, Ambiguous."""
        return await self._call(work, Ambiguous)

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Something that may be asked again. Raises Refused, Busy, Unavailable."""
        return await self._call(work, Unavailable)

    async def _call(self, work: Callable[[], Awaitable[T]], unanswered: type[SurgelineError]) -> T:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await work()
        except TimeoutError:
            raise unanswered(f"Twilio did not answer within {self.timeout_s:g} s") from None
        except (ClientError, OSError) as error:
            raise unanswered(f"the connection to Twilio failed: {type(error).__name__}") from None
        except TwilioException as error:
            raise mapped(error, unanswered) from None
