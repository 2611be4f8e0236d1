"""Words that every face says alike: there are some for every topic, act, lot and rule."""

import pytest

from core.domain.notice import Notice, Topic
from core.domain.royalty import Rule, Terms, Usage
from core.domain.wording import earned, told
from tests.builders.entities import HOME, NOON

FACTS = {
    Topic.STEERED: {"step": "50"},
    Topic.GRANTED: {"by": "root", "amount": "1", "why": "a prize"},
    Topic.REFUNDED: {"by": "root", "amount": "5", "what": "zorp", "why": "sorry"},
    Topic.LINK_ASKED: {"name": "ann", "platform": "discord", "request": "r"},
    Topic.LINKED: {"name": "ann", "platform": "discord"},
    Topic.REVIEWED: {"review": "approved", "what": "zorp", "why": ""},
    Topic.BROADCAST: {"text": "Hello.\nBye."},
}
TERMS = Terms(percent=30, cap=500, holding_days=30)


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_has_words(topic: Topic) -> None:
    facts = FACTS.get(topic, {"title": "A title", "text": "One line.\nAnother."})
    notice = Notice(id="n", account="a", place=HOME, topic=topic, details=facts, created_at=NOON)
    words = told(notice)

    assert words.title
    assert words.text == "\n".join(words.lines)


def test_words_name_what_happened() -> None:
    def said(topic: Topic) -> tuple[str, str]:
        words = told(Notice(id="n", account="a", place=HOME, topic=topic, details=FACTS[topic], created_at=NOON))
        return words.title, words.text

    assert said(Topic.GRANTED) == ("root gave you 1 qoint", "a prize")
    assert said(Topic.REVIEWED) == ("A moderator has approved «zorp»", "")
    assert said(Topic.BROADCAST) == ("News for everyone", "Hello.\nBye.")


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_says_why_a_use_earned_what_it_did(rule: Rule) -> None:
    names = dict.fromkeys(("generation", "model", "run", "owner", "payer"), "x")
    usage = Usage(id="u", **names, percent=100, rule=rule, terms=TERMS, paid=10, share=150, at=NOON)

    assert earned(usage)
    assert earned(usage.but(paid=0, share=0))
    assert earned(usage.but(rule=Rule.SHARED)) == "30 % of 10 qoints, half of it for this model"
