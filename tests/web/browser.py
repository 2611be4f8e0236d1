"""A real browser for the tests: Debian's Chromium, which Playwright drives, and what went wrong in it."""

import base64
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    async_playwright,
    expect,
)

from core.domain.account import Actor
from loraguild.composition import House

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60_000  # milliseconds: a busy machine is slow
PHONE: ViewportSize = {"width": 390, "height": 844}
STATUS = "Failed to load resource: the server responded with a status of 4"  # a «no» that a test may be about
DATA = """files => {
    const data = new DataTransfer();
    for (const [name, type, content] of files) {
        const bytes = Uint8Array.fromBase64(content);
        data.items.add(new File([bytes], name, {type}));
    }
    return data;
}"""


def chromium() -> str | None:
    """Where Chromium is: PLAYWRIGHT_CHROMIUM, or one in the PATH."""
    return os.environ.get("PLAYWRIGHT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser without a window; a test that needs one is skipped where there is none."""
    where = chromium()
    if where is None:
        pytest.skip("no Chromium: `apt install chromium`, or PLAYWRIGHT_CHROMIUM=/path/to/one")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=where, args=["--no-sandbox", "--disable-dev-shm-usage"], chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            await browser.close()


def troubles(context: BrowserContext) -> list[str]:
    """What pages will complain of: errors of scripts, broken rules of the content policy, failed answers."""
    words: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(STATUS):
            words.append(message.text)

    def answered(response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            words.append(f"{response.status} {response.url}")

    def failed(request: Request) -> None:
        if request.failure not in {"net::ERR_ABORTED", None}:  # who leaves a page lets go of what it was asking for
            words.append(f"{request.failure} {request.url}")

    context.on("console", said)
    context.on("weberror", lambda error: words.append(str(error.error)))
    context.on("response", answered)
    context.on("requestfailed", failed)
    return words


@asynccontextmanager
async def watched(browser: Browser, base: str, **facts: object) -> AsyncIterator[BrowserContext]:
    """Somebody's own browser window: its cookies, its colours, its width; nothing may go wrong in it."""
    facts |= {"base_url": base, "reduced_motion": "reduce"}  # a colour on its way from light to dark fits neither
    context = await browser.new_context(**facts)  # type: ignore[arg-type] # as Playwright names them
    context.set_default_timeout(PATIENCE)
    found = troubles(context)
    try:
        yield context
    except Exception as error:
        for page in context.pages:
            error.add_note(f"{page.url} shows: {await page.locator('body').inner_text()}")
        error.add_note(f"what went wrong there: {found}")
        raise
    finally:
        await context.close()
    assert not found, found


async def handed(page: Page, event: str, target: str, files: Iterable[tuple[str, str, bytes]]) -> None:
    """Drop files (name, media type, bytes) on an element, or paste them there: `event` is drop or paste."""
    packed = [(name, kind, base64.b64encode(content).decode()) for name, kind, content in files]
    data = await page.evaluate_handle(DATA, packed)
    if event == "paste":
        paste = "([on, data]) => on.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))"
        await page.evaluate(paste, [await page.query_selector(target), data])
        return
    for step in ("dragenter", "dragover", event):
        await page.dispatch_event(target, step, {"dataTransfer": data})


COMPLAINTS = """async () => {
    const {violations} = await axe.run({resultTypes: ["violations"]});
    return violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]);
}"""  # the rule, and where
WIDTHS = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const {scrollWidth, clientWidth} = document.documentElement;
    done([scrollWidth, clientWidth]);
})))"""  # after a frame: what follows the window's width has followed


async def prove_it_is_accessible(page: Page) -> None:
    """Assert that axe-core finds nothing, neither in light on a desk nor in dark on a phone, where all of it fits."""
    await page.wait_for_load_state()  # half a page could break rules, or keep them
    await page.evaluate(Axe().axe_script)
    wrong, desk = await page.evaluate(COMPLAINTS), page.viewport_size
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size(PHONE)
    wrong += await page.evaluate(COMPLAINTS)
    wide, window = await page.evaluate(WIDTHS)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(desk or PHONE)
    assert not wrong, f"{page.url}: {wrong}"
    assert wide <= window, f"{page.url} is {wide} wide in a window of {window}"


async def signed_in(page: Page, house: House, actor: Actor) -> None:
    """Follow a link that the bot has given somebody."""
    sessions = house.services.sessions
    invitation = await sessions.invite(actor)
    await page.goto(invitation.link.removeprefix(sessions.address))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/")


async def ordered(page: Page) -> None:
    """Take a quote at its word, with every tick that it asks for, and come to the job."""
    await page.get_by_role("button", name="Get a quote").click()
    order = page.get_by_role("button", name="Order for")
    await order.wait_for()  # the ticks are counted on the page that has them, not on the one before
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await order.click()
    await page.wait_for_url("**/jobs/*")
