"""What somebody does on the pages, in a browser: from the first steps of the creator to pictures of one's own."""

import io
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from core.domain.account import Actor
from core.domain.dataset import Status
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.web.browser import handed, ordered

PATIENCE = 300_000  # milliseconds for what a worker does
PICTURES = 12  # of the demo
TABS = 60  # no page has more to step through before its first button


def a_zip() -> bytes:
    """Pack the pictures of the demo, each with a caption."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for picture in files("loraguild.demo").joinpath("pictures").iterdir():
            if picture.name.endswith(".png"):
                archive.writestr(picture.name, picture.read_bytes())
                archive.writestr(f"{Path(picture.name).stem}.txt", "zorp, a robot")
    return packed.getvalue()


async def tabbed(page: Page, selector: str, *keys: str) -> None:
    """Step on to something by the keyboard alone, and press keys there."""
    for _ in range(TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    else:
        pytest.fail(f"nobody gets to {selector} by the keyboard")
    for key in keys:
        await page.keyboard.press(key)


async def a_dataset_by_keyboard(page: Page) -> str:
    """Go through the first steps of the creator without a mouse; return the dataset's id."""
    await page.goto("/datasets/new")
    await tabbed(page, "#name")
    await page.keyboard.type("Zorp")
    await tabbed(page, "#trigger")
    await page.keyboard.type("zorp")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/datasets/new/traits**")
    await tabbed(page, "main form button", "Enter")
    await page.wait_for_url("**/datasets/new/dataset**")
    await tabbed(page, "#name", "Enter")
    await page.wait_for_url("**/create/pictures")
    return page.url.split("/")[-3]


async def pictures_brought(page: Page, house: House, dataset: str, *pasted: bytes) -> None:
    """Drop a zip, paste pictures, and wait until the doctor has looked at what came out."""
    await handed(page, "drop", ".drop", [("zorp.zip", "application/zip", a_zip())])
    for content in pasted:
        await handed(page, "paste", "body", [("image.png", "image/png", content)])
    await expect(page.locator("#files li.here")).to_have_count(1 + len(pasted), timeout=PATIENCE)
    await page.get_by_role("button", name="Done").click()

    async def ready() -> bool:
        found = await house.store.datasets.get(dataset)
        return found.status is Status.READY and found.count == PICTURES + len(pasted)

    await awaited(ready, seconds=300)


async def a_caption_edited(page: Page, house: House, dataset: str) -> None:
    """Write the first caption anew."""
    await page.goto(f"/datasets/{dataset}/captions")
    card = page.locator(".captions > li").first
    await card.locator("textarea").fill("zorp, seen from the front")
    await card.get_by_role("button", name="Save").click()

    async def kept() -> bool:
        items = await house.store.items.of(dataset)
        return any(one.text == "zorp, seen from the front" for item in items if (one := item.caption("main")))

    await awaited(kept, seconds=60)


async def a_training_ordered(page: Page, dataset: str, *, preset: str = "fast") -> None:
    """Choose, see the price follow, and order."""
    await page.goto(f"/train?dataset={dataset}")
    await page.locator("#offering-demo-tiny").check()
    await page.locator(f"#preset-{preset}").check()
    await expect(page.locator("#price .price")).to_contain_text("point")
    await ordered(page)


async def pictures_drawn(page: Page, house: House, ann: Actor) -> None:
    """Call the model by its word."""
    await page.goto("/generate?text=zorp")
    await expect(page.locator("#price")).to_contain_text("point")
    await page.get_by_role("button", name="Draw").click()
    await page.wait_for_url("**/generate/*")

    async def drawn() -> bool:
        made = await house.services.generations.list(ann)
        return bool(made and made[0].pictures)

    await awaited(drawn, seconds=300)
    await page.reload()
    await expect(page.locator("main img").first).to_be_visible()
