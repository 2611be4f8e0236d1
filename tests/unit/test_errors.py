"""The tree of errors: every leaf has a stable code of its own, a category, and words that its details fill."""

import string
from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest

from bots.chat.reply import Reply
from core.domain import errors
from core.domain.errors import Conflict, DomainError, Forbidden, Invalid, Missing, Refused, Unavailable
from storage import embedded

CATEGORIES = (Invalid, Missing, Forbidden, Refused, Conflict, Unavailable)
HOMES = (errors, embedded)


def leaves(root: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in root.__subclasses__():
        if below in CATEGORIES or below.__subclasses__():
            yield from leaves(below)
        else:
            yield below


LEAVES = [leaf for leaf in leaves(DomainError) if leaf.__module__ in {home.__name__ for home in HOMES}]


def an(leaf: type[DomainError]) -> DomainError:
    return leaf(**{name: f"<{name}>" for name in signature(leaf).parameters})


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_has_one_category_and_a_docstring(leaf: type[DomainError]) -> None:
    assert [category for category in CATEGORIES if issubclass(leaf, category)] == [leaf.__base__]
    assert leaf.__doc__


@pytest.mark.parametrize("leaf", LEAVES)
def test_the_template_is_filled_by_exactly_the_details(leaf: type[DomainError]) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(leaf.template) if name}

    assert named == {name for name, detail in signature(leaf).parameters.items() if detail.default is detail.empty}
    assert all(f"<{name}>" in str(an(leaf)) for name in named)


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_chat_can_say_it(leaf: type[DomainError]) -> None:
    reply = Reply.refused(an(leaf))

    assert (reply.code, reply.lines, reply.unavailable) == (
        leaf.code,
        (str(an(leaf)),),
        issubclass(leaf, Unavailable),
    )


def test_codes_are_unique_and_words_of_their_own() -> None:
    codes = [leaf.code for leaf in LEAVES]

    assert sorted(codes) == sorted(set(codes))
    assert all(code.isidentifier() and code.islower() for code in codes)


def test_details_are_given_by_name_only() -> None:
    leaf: Any = errors.BadValue

    with pytest.raises(TypeError):
        leaf("name", "x", "no")
