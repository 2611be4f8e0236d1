import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.address import LENGTH, MOST, addresses
from core.domain.errors import BadValue


def test_links_are_taken_each_once_in_their_order() -> None:
    text = "https://b.example/x?y=1&z=2#part\n http://a.example:8080/ä.png https://b.example/x?y=1&z=2#part"

    assert addresses(text) == ("https://b.example/x?y=1&z=2#part", "http://a.example:8080/ä.png")


TOO_MUCH = ("https://a/" + "x" * LENGTH, " ".join(f"https://a/{number}" for number in range(MOST + 1)))
WRONG = ("", " ", "a.png", "ftp://a/b", "file:///etc/passwd", "https://", "https:///x", "http://[", "https://a/\x00")


@pytest.mark.parametrize("text", [*WRONG, *TOO_MUCH])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        addresses(text)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_links_or_refused(text: str) -> None:
    try:
        links = addresses(text)
    except BadValue:
        return
    assert all(link.split(":")[0].casefold() in {"http", "https"} for link in links)
