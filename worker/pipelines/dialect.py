"""How a base model is talked to: its chat template, with marks around what the assistant says.

transformers tells an assistant's tokens by `{% generation %}` marks, and hardly any template has them. So the template
is asked for conversations of known words, and what it puts between these is put into a marked template. That one stands
for it where both say the same of every sample: turns of ChatML, Llama, Gemma, Mistral, Phi and their kin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerFast

from core.domain.conversation import ASSISTANT, SYSTEM, USER, Turn
from worker.pipelines.tasks import UnknownTemplate

Messages = list[dict[str, str]]

MARK = "generation %}"
DATE = "26 Jul 2024"  # what Llama's templates say where nobody tells them the day: a run must not depend on it
PAD = "\t"  # around a text, to see whether a template trims it
BRIEF = "the brief"
SPOKEN = ("one question", "one answer", "another question", "another answer", "last question", "last answer")
MARKED = Template(
    "{%- if messages[0].role == 'system' -%}"
    "{{- $opening + messages[0].content$brief + $briefed -}}{%- else -%}{{- $start -}}{%- endif -%}"
    "{%- for message in messages if message.role != 'system' -%}{%- if message.role == 'user' -%}"
    "{{- message.content$question -}}"
    "{%- else -%}{{- $asked_last if loop.last else $asked -}}"
    "{% generation %}{{- message.content$answer + $stop -}}{% endgeneration %}"
    "{{- $end if loop.last else $turn -}}{%- endif -%}{%- endfor -%}"
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A marked template, whether it takes system turns, and the text that ends an answer."""

    template: str
    briefed: bool = True
    stop: str = ""

    def messages(self, turns: Sequence[Turn]) -> Messages:
        """Return turns as templates take them; where one takes no system turn, the first question begins with it."""
        if turns and turns[0].role == SYSTEM and not self.briefed:
            brief, question, *rest = turns
            turns = (question.but(content=f"{brief.content}\n\n{question.content}"), *rest)
        return [{"role": turn.role, "content": turn.content} for turn in turns]


def dialect(tokenizer: PreTrainedTokenizerFast) -> Dialect:
    """Return how the base of a tokenizer is talked to.

    Raises:
        UnknownTemplate: It has no chat template, or none that a marked one can stand for.
    """
    try:
        own: str = tokenizer.get_chat_template()
    except ValueError as error:
        raise UnknownTemplate("The base model has no chat template, so it cannot be told who says what.") from error
    if MARK in own:
        return Dialect(template=own, briefed=_said(tokenizer, own, _talk(2, briefed=True)) is not None)
    for briefed in (True, False):
        found = _derived(tokenizer, own, briefed=briefed)
        if found and _same(tokenizer, own, found):
            return found
    raise UnknownTemplate(
        "The base model's chat template puts conversations together in an unusual way, so where the answers are in "
        "them cannot be told. Mark them in it with {% generation %} and {% endgeneration %}."
    )


def _talk(turns: int, *, briefed: bool, pad: str = "") -> Messages:
    brief = [(SYSTEM, BRIEF)] if briefed else []
    spoken = [((USER, ASSISTANT)[number % 2], text) for number, text in enumerate(SPOKEN[:turns])]
    return [{"role": role, "content": f"{pad}{text}{pad}"} for role, text in (*brief, *spoken)]


def _said(tokenizer: PreTrainedTokenizerFast, template: str, messages: Messages) -> str | None:
    """Return what a template makes of messages; None where it refuses them."""
    try:
        text: str = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, date_string=DATE)
    except TemplateError:
        return None
    return text


def _derived(tokenizer: PreTrainedTokenizerFast, own: str, *, briefed: bool) -> Dialect | None:
    """Return a marked template made of what stands between the words of a sample, if they are there in order."""
    plain = _gaps(_said(tokenizer, own, _talk(4, briefed=False)), SPOKEN[:4])
    system = _gaps(_said(tokenizer, own, _talk(4, briefed=True)), (BRIEF, *SPOKEN[:4])) if briefed else ["", *plain]
    padded = _said(tokenizer, own, _talk(2, briefed=briefed, pad=PAD)) or ""
    if not plain or not system:
        return None
    start, asked, between, asked_last, end = plain
    stop = _stop(tokenizer, end)
    texts = {
        "opening": system[0],
        "briefed": system[1],
        "start": start,
        "asked": asked,
        "asked_last": asked_last,
        "stop": stop,
        "turn": between[len(stop) :],
        "end": end[len(stop) :],
    }
    trimmed = {"brief": BRIEF, "question": SPOKEN[0], "answer": SPOKEN[1]}
    trims = {name: "" if PAD + text + PAD in padded else "|trim" for name, text in trimmed.items()}
    literals = {name: ascii(text) for name, text in texts.items()}
    return Dialect(template=MARKED.substitute(literals, **trims), briefed=briefed, stop=stop)


def _gaps(text: str | None, said: Sequence[str]) -> list[str]:
    """Return what stands before, between and behind what was said; nothing where that is not there in order."""
    gaps, rest = [], text or ""
    for one in said:
        gap, found, rest = rest.partition(one)
        if not found:
            return []
        gaps.append(gap)
    return [*gaps, rest]


def _stop(tokenizer: PreTrainedTokenizerFast, closing: str) -> str:
    """Return what of a closing ends an answer: up to its first special token, which the base has to learn to say."""
    special = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    ends = [closing.find(token) + len(token) for token in special if token in closing]
    return closing[: min(ends, default=len(closing))]


def _same(tokenizer: PreTrainedTokenizerFast, own: str, found: Dialect) -> bool:
    """Say whether a marked template makes the same of samples of all lengths, with spaces around and without."""
    samples = [
        _talk(turns, briefed=briefed, pad=pad)
        for turns in (2, 4, 6)
        for briefed in {False, found.briefed}
        for pad in ("", PAD)
    ]
    return all(_said(tokenizer, own, one) == _said(tokenizer, found.template, one) for one in samples)
