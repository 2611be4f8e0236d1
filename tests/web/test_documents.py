"""The API as people read it: everything that can be asked is on one page."""

from html import escape

from tests.builders.visits import Client
from web.api.route import PREFIX
from web.documents import described


async def test_the_page_shows_every_operation_and_every_shape(client: Client) -> None:
    answer = await client.get(f"{PREFIX}/docs")
    shown, document = await answer.text(), described("http://guild.example")

    assert answer.status == 200
    assert [path for path in document["paths"] if escape(path) not in shown] == []
    assert [name for name in document["components"]["schemas"] if f'id="shape-{name}"' not in shown] == []
