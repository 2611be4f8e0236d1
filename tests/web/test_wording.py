"""How words read on a page: a command that a page stands for is a link to that, and any other is set as code."""

import pytest
from jinja2 import Environment

from bots import commands
from web import sandbox
from web.wording import FILTERS, PLACES


def coded(text: str) -> str:
    """Words as a page under a path shows them."""
    pages = Environment(autoescape=True)
    pages.globals["root"] = "/lora"
    pages.filters.update(FILTERS)
    return pages.from_string("{{ text | coded }}").render(text=text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See `model list`.", 'See <a href="/lora/models">your models</a>.'),
        ("Begin another with `dataset new`.", 'Begin another with <a href="/lora/datasets/new">a new dataset</a>.'),
        ("Say `login` to the bot.", "Say <code>login</code> to the bot."),
        ("«<b>» and ` ` and `<i>`", "«&lt;b&gt;» and <code> </code> and <code>&lt;i&gt;</code>"),
        ("no command", "no command"),
    ],
)
def test_a_command_is_a_link_where_a_page_does_the_same(text: str, shown: str) -> None:
    assert coded(text) == shown


def test_every_place_is_a_page_and_stands_for_commands() -> None:
    pages = {one.path for one in sandbox.discovered() if one.method == "GET"}
    known = commands.discovered()

    assert {path for path, _ in PLACES.values()} <= pages
    assert all(any(f"{path} ".startswith(f"{named} ") for path in known) for named in PLACES)
