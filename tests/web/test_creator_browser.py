"""The creator and the caption editor in a real browser: what is dropped comes in, and captions are written by keys."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.kinds.intake import Payload
from loraguild.composition import House
from tests.builders.scenes import a_ready_dataset, finished
from tests.web.browser import handed, prove_it_is_accessible, signed_in
from tests.worker.pictures import a_picture, encoded

FOLDER = """async () => {
    const { flattened } = await import("/static/drop.js");
    const names = ["zorp/a.png", "zorp/10_zorp/a.png", "zorp/10_zorp/a.txt"];
    return names.map((name) => flattened(new File(["x"], name.split("/").at(-1)), name).name);
}"""


@pytest.fixture(autouse=True)
async def _signed_in(house: House, ann: Actor, page: Page) -> None:
    await signed_in(page, house, ann)


async def test_what_is_dropped_in_the_creator_comes_in_and_the_page_says_so(
    house: House, page: Page, ann: Actor
) -> None:
    dataset = await house.services.datasets.create(ann, name="night", trigger="nightx")
    await page.goto(f"/datasets/{dataset.id}/create")
    await handed(page, "drop", ".drop", [("a.png", "image/png", encoded(a_picture()))])
    await expect(page.locator("#files li.here")).to_have_count(1)
    await prove_it_is_accessible(page)
    asked: list[str] = []  # such as whether to leave the page
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_text("1 file coming in")).to_be_visible()
    assert asked == []

    [job] = await house.services.jobs.about(ann, dataset.id)
    assert [file.name for file in Payload.model_validate(job.payload).files] == ["a.png"]
    assert await page.evaluate(FOLDER) == ["a.png", "10_zorp - a.png", "10_zorp - a.txt"]
    await finished(house, job)
    await expect(page.get_by_role("heading", name="What came in last")).to_be_visible()


async def test_the_list_follows_what_is_typed_however_slow_the_answers(house: House, page: Page, ann: Actor) -> None:
    typed = asyncio.Event()

    async def slow(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    await house.services.datasets.create(ann, name="night", trigger="nightx")
    await page.goto("/datasets")
    await expect(page.locator(".card")).to_have_count(2)
    await page.route("**/datasets?*", slow)
    for text in ("z", "zo", "zor"):
        async with page.expect_request(re.compile(f"text={text}&")):
            await page.get_by_label("Name").press(text[-1])
    typed.set()

    await expect(page.locator(".card")).to_have_count(1)
    await expect(page).to_have_url(re.compile("text=zor"))  # one card is left from the first letter on
    await prove_it_is_accessible(page)


async def test_captions_are_written_without_a_mouse(house: House, page: Page, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    await page.goto(f"/datasets/{dataset.id}/captions")
    first, second = page.locator(".caption textarea").nth(0), page.locator(".caption textarea").nth(1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await first.fill("zorp, waving")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("link", name="Version 2")).to_be_visible()
    await expect(second).to_be_focused()
    await second.fill("nonsense")
    await page.keyboard.press("Escape")
    await expect(second).to_have_value("zorp number 1")
    await page.keyboard.press("a")
    await expect(page.locator(".caption.approved")).to_have_count(1)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await prove_it_is_accessible(page)

    assert await _texts(house, ann, dataset) == ["zorp, waving", "zorp number 1", "zorp number 2"]


async def test_what_is_ticked_by_key_stays_so_when_its_card_is_shown_anew(house: House, page: Page, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    await page.goto(f"/datasets/{dataset.id}/captions")
    remove = page.get_by_role("button", name="Remove what is ticked…")
    await expect(remove).to_be_hidden()
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.keyboard.press("a")
    await expect(page.locator(".caption.approved")).to_have_count(1)
    await expect(page.locator(".caption.approved").get_by_role("checkbox")).to_be_checked()
    await prove_it_is_accessible(page)
    await remove.click()
    await expect(page.get_by_role("heading", name="Remove 1 picture from «zorp»?")).to_be_visible()


async def _texts(house: House, ann: Actor, dataset: Dataset) -> list[str]:
    items = await house.services.items.list(ann, dataset.id)
    return [caption.text if (caption := dataset.caption_of(item)) else "" for item in items]
