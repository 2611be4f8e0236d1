"""Take the pictures of the pages that README shows: docs/web-*.png, of a house in which somebody trains a model.

The house is in a temporary folder, with a worker that trains on this machine's processor; it takes some minutes, and
Chromium. Run `make screenshots`.
"""

import asyncio
import io
import os
import re
import socket
import tempfile
from pathlib import Path

from aiohttp import ClientSession
from PIL import Image
from playwright.async_api import Browser, Page, expect

from config.settings import Settings
from loraguild.composition import House, opened
from tests.builders.scenes import given, somebody
from tests.e2e.processes import LORAGUILD, a_web, started
from tests.e2e.web_scene import (
    PATIENCE,
    a_dataset_by_keyboard,
    a_training_ordered,
    pictures_brought,
    pictures_drawn,
)
from tests.web.browser import PHONE, browsing, signed_in, watched

DOCS = Path(__file__).parents[1] / "docs"
DESK = {"width": 1280, "height": 800}
SHOWN = """Promise.all([...document.images].filter((one) => one.getBoundingClientRect().top < innerHeight)
    .map((one) => one.decode().catch(() => {})))"""
PRICE = "16"  # points, of what is ordered
MANY = re.compile(r"[2-9]\d|\d{3}")  # points, for a chart that shows something
COLOURS = 128  # enough for pages: the pictures stay small


async def shot(page: Page, name: str, path: str = "", *, dark: bool = False, phone: bool = False) -> None:
    """Keep what a window shows of a page, in few colours."""
    await page.set_viewport_size(PHONE if phone else DESK)  # type: ignore[arg-type] # as Playwright's own
    await page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    if path:
        await page.goto(path)
        await page.wait_for_load_state("load")
    await page.evaluate("scrollTo(0, 0)")
    await page.evaluate(SHOWN)
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled")))
    small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(DOCS / f"web-{name}.png", optimize=True)


async def walked(browser: Browser, house: House, base: str) -> None:
    """Train a model on the pages, and stop for pictures on the way."""
    ann, root = await somebody(house, "ann"), await somebody(house, "root")
    await given(house, ann, 1000)
    async with watched(browser, base) as context:
        page = await context.new_page()
        await signed_in(page, house, ann)
        dataset = await a_dataset_by_keyboard(page)
        await shot(page, "creator")
        await pictures_brought(page, house, dataset)
        await shot(page, "dataset", f"/datasets/{dataset}")
        await shot(page, "captions", f"/datasets/{dataset}/captions")
        await page.goto(f"/train?dataset={dataset}")
        await page.locator("#offering-demo-tiny").check()
        await page.locator("#preset-fast").check()
        await expect(page.locator("#price .price")).to_contain_text(PRICE)
        await shot(page, "training")
        await a_training_ordered(page, dataset, preset="fast")
        await expect(page.locator("#chart")).to_have_attribute("data-points", MANY, timeout=PATIENCE)
        await shot(page, "job")
        await shot(page, "job-dark", dark=True)
        await expect(page.locator("#job .state").first).to_have_text("succeeded", timeout=PATIENCE)
        await pictures_drawn(page, house, ann)
        await shot(page, "generate", "/generate?text=zorp")
        await shot(page, "models", "/models")
        await shot(page, "home", "/")
        await shot(page, "home-dark", "/", dark=True)
        await shot(page, "phone", f"/datasets/{dataset}", phone=True)
        await shot(page, "wallet", "/wallet")
    async with watched(browser, base) as context:
        page = await context.new_page()
        await signed_in(page, house, root)
        await shot(page, "admin", "/admin")


async def main() -> None:
    """Open a house, let it work, and look at it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        data = Path(folder)
        env = {**os.environ, "DATA_FOLDER": folder, "WEB_PORT": str(port), "PYTHONPATH": f"{DOCS.parent}"}
        base = f"http://127.0.0.1:{port}"
        async with (
            opened(Settings(data_folder=data)) as house,
            ClientSession(base) as session,
            a_web(session, data, env),
            browsing() as browser,
        ):
            with started(*LORAGUILD, "worker", data=data, env=env):
                await walked(browser, house, base)


if __name__ == "__main__":
    asyncio.run(main())
