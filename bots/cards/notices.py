"""Notices in words: what a chat says when something happened that somebody should hear of."""

from bots.cards import card
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from core.domain.notice import Notice, Topic


async def told(call: Call, notice: Notice) -> Reply:
    """What a notice says to the person it is for: the final card of a job, or the news.

    Raises:
        NotFound: What it is about is gone.
    """
    match notice.topic:
        case Topic.GRANTED:
            details = notice.details
            return Reply(title=f"{details['by']} gave you {details['amount']} qoints", lines=(details["why"],))
        case Topic.REFUNDED | Topic.LINK_ASKED | Topic.LINKED | Topic.REVIEWED | Topic.BROADCAST:
            return Reply(title=notice.details.get("title", ""), lines=(notice.details.get("text", ""),))
        case Topic.JOB_SUCCEEDED | Topic.JOB_FAILED | Topic.JOB_CANCELLED:
            return await card(call, notice.job or "")
