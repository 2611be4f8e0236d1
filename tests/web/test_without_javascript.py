"""Without JavaScript: signing in, a new dataset and an order are forms like any other."""

from playwright.async_api import expect

from core.domain.account import Actor
from loraguild.composition import House
from tests.builders.scenes import a_ready_dataset
from tests.web.browser import browsing, ordered, signed_in, watched


async def test_forms_are_enough(house: House, site: str, ann: Actor) -> None:
    ready = await a_ready_dataset(house, ann, name="zorp")
    async with browsing() as browser, watched(browser, site, java_script_enabled=False) as context:
        page = await context.new_page()
        await signed_in(page, house, ann)

        await page.goto("/datasets/new/dataset")
        await page.get_by_label("Name").fill("glim")
        await page.get_by_label("Trigger word").fill("glim")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Files for glim")

        await page.goto(f"/train?dataset={ready.id}&offering=tiny")
        await page.get_by_role("button", name="Show price").click()
        await expect(page.locator("#price")).to_contain_text("points")
        await ordered(page)
    [job] = await house.services.trainings.list(ann)
    assert (job.owner, job.subject) == (ann.account, ready.id)
