"""Secrets at rest: what one key seals it opens, and no other does."""

from hypothesis import given
from hypothesis import strategies as st

from config.vault import KeyVault

OLD, NEW = {"a": b"a" * 32}, {"b": b"b" * 32}


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_what_was_sealed_is_opened_by_its_key_alone(secret: str) -> None:
    sealed = KeyVault(OLD).seal(secret)

    assert KeyVault(OLD).open(sealed) == secret
    assert KeyVault(NEW | OLD).open(sealed) == secret
    assert KeyVault(NEW).open(sealed) is None
    assert sealed != KeyVault(OLD).seal(secret)


def test_the_first_key_seals() -> None:
    sealed = KeyVault(NEW | OLD).seal("secret")

    assert KeyVault(NEW).open(sealed) == "secret"


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_what_is_none_of_it_opens_to_nothing(text: str) -> None:
    assert KeyVault(OLD).open(text) is None
