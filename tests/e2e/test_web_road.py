"""The main road in a browser, by whole processes: from signing in to pictures by a model of one's own."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page, expect

from loraguild.composition import House
from tests.builders.scenes import somebody
from tests.e2e.processes import LORAGUILD, a_web, started
from tests.e2e.web_scene import (
    PATIENCE,
    a_caption_edited,
    a_dataset_by_keyboard,
    a_training_ordered,
    pictures_brought,
    pictures_drawn,
)
from tests.web.browser import browsing, prove_it_is_accessible, signed_in, watched
from tests.worker.pictures import a_picture, encoded

pytestmark = pytest.mark.timeout(900)


async def watched_to_its_end(page: Page) -> None:
    """See the job move and its chart grow, without asking again."""
    await page.evaluate("window.untouched = true")
    await expect(page.locator("#job .state").first).to_have_text("succeeded", timeout=PATIENCE)
    chart = page.locator("#chart")
    await expect(chart.locator("canvas")).to_have_count(1)
    await expect(chart).to_have_attribute("data-points", re.compile(r"^([2-9]|\d{2,})$"))
    await expect(page.locator("#samples img").first).to_be_visible()
    assert await page.evaluate("window.untouched")


async def test_the_road_from_signing_in_to_pictures_of_ones_own(
    house: House, tmp_path: Path, env: Mapping[str, str]
) -> None:
    ann, base = await somebody(house), f"http://127.0.0.1:{env['WEB_PORT']}"
    async with (
        browsing() as browser,
        ClientSession(base) as session,
        a_web(session, tmp_path, env),
        watched(browser, base, accept_downloads=True) as context,
    ):
        page = await context.new_page()
        with started(*LORAGUILD, "worker", data=tmp_path, env=env):
            await signed_in(page, house, ann)
            dataset = await a_dataset_by_keyboard(page)
            await pictures_brought(page, house, dataset, encoded(a_picture()))
            await a_caption_edited(page, house, dataset)
            await a_training_ordered(page, dataset)
            await watched_to_its_end(page)
            await prove_it_is_accessible(page)
            await page.get_by_role("link", name="See the model").click()
            async with page.expect_download() as downloading:
                await page.get_by_role("link", name="Download").first.click()
            assert (await (await downloading.value).path()).stat().st_size > 1000
            await pictures_drawn(page, house, ann)
