"""Chat templates get marks around answers: of every kind that is usual, and only where the marked one says the same."""

from typing import Any

import pytest

from core.domain.conversation import Turn
from tests.builders.llamas import CHATML, a_conversation, a_tokenizer
from worker.pipelines.dialect import DATE, MARK, dialect
from worker.pipelines.tasks import UnknownTemplate

SYSTEM_FIRST = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}{% endif %}"
)
LLAMA = """{{- bos_token }}
{%- if messages[0].role == 'system' %}{% set brief = messages[0].content|trim %}{% set messages = messages[1:] %}
{%- else %}{% set brief = '' %}{% endif %}
{%- set date = date_string or strftime_now('%d %b %Y') %}
{{- '<|start|>system<|end|>\\n\\nToday Date: ' + date + '\\n\\n' + brief + '<|eot|>' }}
{%- for message in messages %}
    {{- '<|start|>' + message.role + '<|end|>\\n\\n' + message.content|trim + '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>assistant<|end|>\\n\\n' }}{% endif %}
"""
GEMMA = """{{ bos_token }}
{%- if messages[0].role == 'system' %}{{ raise_exception('no system turns here') }}{% endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
    {%- set role = 'model' if message.role == 'assistant' else message.role %}
    {{- '<turn>' + role + '\\n' + message.content|trim + '<end>\\n' }}
{%- endfor %}"""
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'user' %}{{ '[INST] ' + message.content + ' [/INST]' }}"
    "{% elif message.role == 'assistant' %}{{ ' ' + message.content|trim + eos_token }}"
    "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}"
)
LAST_BRIEFED = """{{ bos_token }}
{%- if messages[0].role == 'system' %}{% set brief = messages[0].content + '\\n\\n' %}{% set messages = messages[1:] %}
{%- else %}{% set brief = '' %}{% endif %}
{%- for message in messages %}{% if message.role == 'user' %}
    {{- '[INST]' + (brief if loop.index0 >= messages|length - 2 else '') + message.content + '[/INST]' }}
{%- else %}{{- message.content + eos_token }}{% endif %}{% endfor %}"""
THINKING = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if loop.last and message.role == 'assistant' %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
    "{{ message.content + '<|im_end|>\\n' }}{% endfor %}"
)
USUAL = {
    "ChatML": (CHATML, "<|im_end|>", True),
    "ChatML that briefs itself": (SYSTEM_FIRST + CHATML, "<|im_end|>", True),
    "ChatML that thinks": (THINKING, "<|im_end|>", True),
    "Llama": (LLAMA, "<|eot|>", True),
    "Gemma": (GEMMA, "<end>", False),
    "Mistral": (MISTRAL, "<|im_end|>", False),
    "Mistral, briefed last": (LAST_BRIEFED, "<|im_end|>", False),
}
UNUSUAL = {
    "turns are counted": "{% for m in messages %}{{ loop.index|string + m.role + m.content }}{% endfor %}",
    "the last answer first": "{{ messages[-1].content }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "shouting": "{% for m in messages %}{{ m.role + m.content|upper }}{% endfor %}",
    "no assistant": "{% for m in messages if m.role != 'assistant' %}{{ m.role + m.content }}{% endfor %}",
    "refuses": "{{ raise_exception('not today') }}",
}
SPECIAL = ("<s>", "<|im_start|>", "<|im_end|>", "<|start|>", "<|end|>", "<|eot|>", "<turn>", "<end>", "<|pad|>")
TALKS = [
    a_conversation("one", "Hello?", "Hi!"),
    a_conversation("spaces", "  Hello?\n", "\tHi!  ", "And «then»?", "{{ nothing }} 'quoted' \"twice\" \\n ünï 😀"),
    a_conversation("briefed", "Who?", "Me.", "Who else?", "You.", system="Be brief."),
]


def spoken(template: str) -> Any:
    return a_tokenizer(template, special=SPECIAL)


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_template_says_the_same_with_marks_and_they_are_around_answers_alone(name: str) -> None:
    template, stop, briefed = USUAL[name]
    tokenizer = spoken(template)
    found = dialect(tokenizer)
    assert (found.stop, found.briefed) == (stop, briefed)
    assert MARK in found.template
    for talk in TALKS:
        messages = found.messages(talk.turns)
        own = tokenizer.apply_chat_template(messages, tokenize=False, date_string=DATE)
        marked = tokenizer.apply_chat_template(
            messages,
            chat_template=found.template,
            return_assistant_tokens_mask=True,
            return_dict=True,
            date_string=DATE,
        )
        assert tokenizer.decode(marked["input_ids"]) == own
        said = [token for token, answer in zip(marked["input_ids"], marked["assistant_masks"], strict=True) if answer]
        answers = [turn.content for turn in talk.turns if turn.role == "assistant"]
        if "trim" in template:
            answers = [answer.strip() for answer in answers]
        assert tokenizer.decode(said) == "".join(answer + stop for answer in answers)


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_template_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(UnknownTemplate, match="Mark them in it with") as caught:
        dialect(spoken(UNUSUAL[name]))
    assert caught.value.code == "unknown_template"


def test_a_base_without_a_template_is_refused() -> None:
    with pytest.raises(UnknownTemplate, match="no chat template"):
        dialect(a_tokenizer(None))


def test_a_template_with_marks_of_its_own_is_taken_as_it_is() -> None:
    own = "{% for m in messages %}{{ m.role + ':' }}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    assert dialect(spoken(own)).template == own


def test_where_a_template_takes_no_system_turn_the_first_question_begins_with_it() -> None:
    talk = TALKS[-1]
    assert dialect(spoken(CHATML)).messages(talk.turns)[0] == {"role": "system", "content": "Be brief."}
    folded = dialect(spoken(GEMMA)).messages(talk.turns)
    assert folded[0] == {"role": "user", "content": "Be brief.\n\nWho?"}
    assert [message["role"] for message in folded] == ["user", "assistant"] * 2
    assert dialect(spoken(GEMMA)).messages(()) == []
    assert dialect(spoken(GEMMA)).messages([Turn(role="user", content="Hm?")]) == [{"role": "user", "content": "Hm?"}]
