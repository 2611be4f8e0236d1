"""Answers to interactions: the callback within 3 seconds, then 15 minutes of edits and follow-ups by its token."""

import time
from datetime import timedelta

from aiohttp import web

from tests.emulators.discord.checks import check_modal
from tests.emulators.discord.commands import check_choices
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.records import EPHEMERAL, Answer, Ask, Interaction, Message, Modal
from tests.emulators.discord.refusals import Refusal, invalid, unknown
from tests.emulators.discord.rest import Handler
from tests.emulators.discord.wire import File, Json, answered, body, files
from tests.emulators.discord.world import BOT, World

FIRST = timedelta(seconds=3)
LIFE = timedelta(minutes=15)
SHOWN = {Answer.MESSAGE, Answer.THINKING}
CHANGED = {Answer.LATER, Answer.UPDATE}


class Webhooks:
    """The requests that an interaction's own token opens."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world, self.gateway = world, gateway

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        token = "/webhooks/{application}/{token}"
        return [
            ("POST", "/interactions/{interaction}/{token}/callback", self.callback),
            ("POST", token, self.follow_up),
            ("GET", token + "/messages/{message}", self.message),
            ("PATCH", token + "/messages/{message}", self.edit),
            ("DELETE", token + "/messages/{message}", self.delete),
        ]

    async def callback(self, request: web.Request) -> web.Response:
        """The first answer."""
        asked = self.world.interactions.get(request.match_info["interaction"])
        if not asked or asked.token != request.match_info["token"]:
            raise unknown("interaction")
        if asked.acknowledged:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        if self.world.clock.now() - asked.asked_at > FIRST:
            raise unknown("interaction")
        answer, data = _kind(asked, body(request)), body(request).get("data") or {}
        message = self._answer(asked, answer, data, files(request))
        asked.seconds = time.perf_counter() - asked.seconds
        asked.answer = answer
        told: Json = {"id": asked.id, "type": asked.kind}
        if not message:
            return answered({"interaction": told})
        told |= {"response_message_id": message.id, "response_message_ephemeral": bool(message.seen_by)}
        told |= {"response_message_loading": answer is Answer.THINKING}
        return answered({"interaction": told, "resource": {"type": answer, "message": message.data}})

    def _answer(self, asked: Interaction, answer: Answer, data: Json, beside: list[File]) -> Message | None:
        seen_by = asked.person if int(data.get("flags") or 0) & EPHEMERAL else None
        match answer:
            case Answer.MESSAGE:
                asked.response = self._post(asked, data, beside, seen_by=seen_by)
                return asked.response
            case Answer.THINKING:
                asked.response = self._by(asked, self.world.promise(asked.channel, seen_by=seen_by))
                return asked.response
            case Answer.UPDATE:
                assert asked.source
                asked.response = self.world.edit(asked.source, data, beside)
                return asked.response
            case Answer.LATER:
                asked.response = asked.source
            case Answer.CHOICES:
                check_choices(data.get("choices") or [])
                asked.choices = [(one["name"], one["value"]) for one in data.get("choices") or []]
            case Answer.MODAL:
                check_modal(data)
                asked.modal = Modal(data=data, channel=asked.channel, source=asked.source)
        return None

    def _post(self, asked: Interaction, data: Json, beside: list[File], *, seen_by: str | None) -> Message:
        return self._by(asked, self.world.post(asked.channel, data, beside, seen_by=seen_by))

    def _by(self, asked: Interaction, message: Message) -> Message:
        """A message says of which interaction it came."""
        message.data |= {"application_id": BOT, "webhook_id": BOT}
        if asked.kind is Ask.COMMAND:
            person = self.world.users[asked.person].json()
            by = {"id": asked.id, "type": asked.kind, "user": person, "authorizing_integration_owners": {}}
            message.data["interaction_metadata"] = by
        return message

    def _live(self, request: web.Request) -> Interaction:
        found = [one for one in self.world.interactions.values() if one.token == request.match_info["token"]]
        if not found or self.world.clock.now() - found[0].asked_at > LIFE:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if not found[0].acknowledged:
            raise unknown("Webhook")
        return found[0]

    async def follow_up(self, request: web.Request) -> web.Response:
        """A further message; the first one fills in what was promised, as private as the promise was."""
        asked, sent = self._live(request), body(request)
        if asked.answer is Answer.THINKING and not asked.filled and asked.response:
            message = self.world.edit(asked.response, sent, files(request))
            asked.filled = True
        else:
            seen_by = asked.person if int(sent.get("flags") or 0) & EPHEMERAL else None
            message = self._post(asked, sent, files(request), seen_by=seen_by)
            asked.followups.append(message)
        return answered(message.data)

    def _found(self, request: web.Request) -> tuple[Interaction, Message]:
        asked, name = self._live(request), request.match_info["message"]
        known = {one.id: one for one in [asked.response, *asked.followups] if one}
        message = asked.response if name == "@original" else known.get(name)
        if not message or message.deleted:
            raise unknown("Message")
        return asked, message

    async def message(self, request: web.Request) -> web.Response:
        """A message of the interaction."""
        return answered(self._found(request)[1].data)

    async def edit(self, request: web.Request) -> web.Response:
        """Change a message of the interaction."""
        asked, message = self._found(request)
        self.world.edit(message, body(request), files(request))
        asked.filled = asked.filled or message is asked.response
        if not message.seen_by:
            await self.gateway.dispatch_message("MESSAGE_UPDATE", message)
        return answered(message.data)

    async def delete(self, request: web.Request) -> web.Response:
        """Take a message of the interaction away."""
        asked, message = self._found(request)
        message.deleted = True
        asked.filled = asked.filled or message is asked.response
        return web.Response(status=204)


def _kind(asked: Interaction, sent: Json) -> Answer:
    """The kind of an answer; refused where an interaction of this kind cannot be answered so."""
    fitting = {
        Ask.COMMAND: {*SHOWN, Answer.MODAL},
        Ask.COMPONENT: {*SHOWN, *CHANGED, Answer.MODAL},
        Ask.AUTOCOMPLETE: {Answer.CHOICES},
        Ask.SUBMIT: {*SHOWN, *(CHANGED if asked.source else ())},
    }[asked.kind]
    if sent.get("type") not in fitting:
        raise invalid("type", f"An interaction of this kind takes {sorted(fitting)}.")
    return Answer(sent["type"])
