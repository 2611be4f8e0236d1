"""Webhooks in a browser: added by hand, and what came of a test appears by itself."""

import re
from collections.abc import Mapping

from playwright.async_api import Page, expect

from core.domain.account import Actor
from core.domain.webhook import Answer
from loraguild.composition import House
from tests.web.browser import prove_it_is_accessible, signed_in
from web.posting import rounds


class Receiver:
    """Takes everything."""

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        assert url
        assert body
        assert headers
        return Answer(status=204)


async def test_what_came_of_a_test_appears_by_itself(house: House, page: Page, ann: Actor) -> None:
    await signed_in(page, house, ann)
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto("/webhooks")
    await prove_it_is_accessible(page)
    await page.get_by_label("Address").fill("https://hooks.example/in")
    await page.get_by_label("Note").fill("My CI")
    await page.get_by_role("button", name="Add").click()
    await expect(page.locator("#secret")).to_have_text(re.compile(r"^whsec_\S{44}$"))
    await prove_it_is_accessible(page)

    await page.get_by_role("link", name="I have kept it").click()
    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_role("cell", name="on its way")).to_be_visible()
    await prove_it_is_accessible(page)
    await rounds(house.services.webhooks, Receiver()).once()
    await expect(page.get_by_role("cell", name="delivered")).to_be_visible()
    await expect(page.get_by_role("button", name="Send again")).to_be_visible()
