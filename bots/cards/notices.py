"""Notices in words: what a chat says when something happened that somebody should hear of."""

from bots.cards import card
from bots.cards.training import steered
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
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
        case Topic.GRANTED:
            reply = Reply(
                title=f"{facts['by']} gave you {number(int(facts['amount']), 'qoint')}", lines=(facts["why"],)
            )
        case Topic.REFUNDED:
            title = f"{facts['by']} gave you {facts['amount']} back for {facts['what']}"
            reply = Reply(title=title, lines=(facts["why"],))
        case Topic.LINK_ASKED:
            reply = asked(facts["request"], name=facts["name"], platform=facts["platform"])
        case Topic.LINKED:
            title = f"{facts['name']} on {facts['platform'].title()} is you from now on"
            reply = Reply(title=title, lines=("One wallet, the same datasets, models and jobs wherever you are.",))
        case Topic.REVIEWED:
            lines = (facts["why"],) if facts["why"] else ()
            reply = Reply(title=f"A moderator has {facts['review']} «{facts['what']}»", lines=lines)
        case Topic.BROADCAST:
            reply = Reply(title="News for everyone", lines=tuple(facts["text"].splitlines()))
        case _:  # what it says was written when it happened
            reply = Reply(title=facts["title"], lines=tuple(facts["text"].splitlines()))
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
