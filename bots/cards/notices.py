"""Notices in words: what a chat says when something happened that somebody should hear of."""

from bots.cards import card
from bots.cards.training import steered
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain import wording
from core.domain.action import Style, Then
from core.domain.notice import Notice, Topic


async def told(call: Call, notice: Notice) -> Reply:
    """What a notice says to the person it is for: the final card of a job, or the news.

    Raises:
        NotFound: What it is about is gone.
    """
    facts = notice.details
    match notice.topic:
        case Topic.JOB_SUCCEEDED | Topic.JOB_FAILED | Topic.JOB_CANCELLED:
            reply = await card(call, notice.job or "")
        case Topic.STEERED:
            reply = await steered(call, notice.job or "", step=int(facts["step"]))
        case Topic.LINK_ASKED:
            reply = asked(facts["request"], name=facts["name"], platform=facts["platform"])
        case _:
            words = wording.told(notice)
            reply = Reply(title=words.title, lines=words.lines)
    return reply


def asked(request: str, *, name: str, platform: str) -> Reply:
    """The question that the side which issued a code answers, about whoever used it."""
    arguments = {"request": request}
    return Reply(
        title=f"Are you {name} on {platform.title()}?",
        lines=(
            "Somebody used your code there. Confirm, and the two accounts become one, wallets included.",
            "Refuse if that was not you.",
        ),
        buttons=(
            Button(label="Confirm", command="link confirm", arguments=arguments, style=Style.GO, then=Then.REPLACE),
            Button(label="Refuse", command="link refuse", arguments=arguments, then=Then.REPLACE),
        ),
    )
