"""Every page in a real browser: clean for axe-core in light and dark, no wider than a phone, and nothing goes wrong."""

import re

import pytest
from playwright.async_api import Page

from core.domain.account import Role
from loraguild.composition import House
from tests.builders.belongings import belongings
from tests.builders.payouts import changed
from tests.builders.scenes import somebody
from tests.web.browser import prove_it_is_accessible, signed_in
from web import sandbox

pytestmark = pytest.mark.timeout(900)

OF_JOBS = {"generate": "generation", "receipts": "run"}  # whose id `{job}` is, where it is no training that waits
ASKED = {"/datasets/delete": "?dataset={dataset}", "/datasets/{dataset}/remove": "?item={item}"}  # what was ticked
STREAM = re.compile(r"/events$")


async def test_every_page_is_for_everybody(house: House, page: Page) -> None:
    things = await belongings(house)
    await changed(house, things.owner, role=Role.ADMIN)
    names = {**things.names, "account": things.reader.account, "community": "telegram:-1", "step": "pictures"}
    await signed_in(page, house, await somebody(house))
    wrong = []
    for path in dict.fromkeys(one.path for one in sandbox.discovered() if one.method == "GET"):
        known = {**names, "job": names[OF_JOBS.get(path.split("/")[1], "job")]}
        if STREAM.search(path) or not set(re.findall(r"{(\w+)}", path)) <= known.keys():
            continue
        answer = await page.request.get(where := (path + ASKED.get(path, "")).format(**known))
        if "<main" not in await answer.text():
            continue  # a part that another page fetches, or a file
        try:
            await page.goto(where)
            assert "/login" not in page.url
            await prove_it_is_accessible(page)
        except AssertionError as error:
            wrong.append(f"{path}: {error}")
    assert not wrong, "\n".join(wrong)
