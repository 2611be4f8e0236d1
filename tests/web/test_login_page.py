"""Signing in with a real browser, and a page of it that was open overnight."""

from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from core.domain.account import Actor
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.web.browser import prove_it_is_accessible
from web.csrf import LASTS

END_OTHERS = "() => fetch('/account/sessions/end', {method: 'POST'}).then((answer) => answer.status)"


async def signed_in(house: House, page: Page, actor: Actor) -> None:
    invitation = await house.services.sessions.invite(actor)
    await page.goto(urlsplit(invitation.link).path)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name=f"Hello, {actor.name}")).to_be_visible()


async def test_a_code_opens_the_page_that_was_asked_for(house: House, page: Page, ann: Actor) -> None:
    await page.goto("/account")
    await prove_it_is_accessible(page)
    await page.get_by_label("Code").fill("2222-2222")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("each code and link works once")
    await expect(page.get_by_label("Code")).to_have_value("2222-2222")
    await prove_it_is_accessible(page)
    await page.get_by_label("Code").fill((await house.services.sessions.invite(ann)).code)
    await page.get_by_label("Code").press("Enter")

    await expect(page.get_by_role("heading", name="ann", exact=True)).to_be_visible()
    await prove_it_is_accessible(page)


async def test_a_form_of_yesterday_is_sent_again_as_it_was(
    house: House, page: Page, ann: Actor, clock: HandClock
) -> None:
    await signed_in(house, page, ann)
    await page.goto("/account")
    await page.get_by_label("What it is for").fill("my <b> notebook")
    await page.get_by_label("spend:").check()
    clock.advance(LASTS)
    await page.get_by_role("button", name="Issue").click()
    await expect(page.get_by_role("heading", name="Send it again?")).to_be_visible()
    await prove_it_is_accessible(page)
    await page.get_by_role("button", name="Send again").click()

    await expect(page.get_by_role("heading", name="«my <b> notebook» is issued")).to_be_visible()
    (token,) = await house.services.tokens.list(ann)
    assert (token.name, token.scopes) == ("my <b> notebook", ("read", "spend"))


async def test_a_script_of_yesterday_gets_through_at_once(
    house: House, page: Page, ann: Actor, clock: HandClock
) -> None:
    await house.services.sessions.open(ann, device="elsewhere")
    await signed_in(house, page, ann)
    await page.goto("/account")
    old = await page.locator("input[name=csrf]").first.input_value()
    clock.advance(LASTS)

    assert await page.evaluate(END_OTHERS) == 200
    assert len(await house.services.sessions.list(ann)) == 1
    assert await page.locator("input[name=csrf]").first.input_value() != old
    await page.get_by_label("What it is for").fill("a form with the fresh proof")
    await page.get_by_role("button", name="Issue").click()
    await expect(page.get_by_role("heading", name="is issued")).to_be_visible()


async def test_who_was_signed_out_signs_in_beside_it_and_sends_again(house: House, page: Page, ann: Actor) -> None:
    await signed_in(house, page, ann)
    await page.goto("/account")
    await page.get_by_label("What it is for").fill("my notebook")
    await house.services.sessions.end_all(ann)
    await page.get_by_role("button", name="Issue").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    await signed_in(house, await page.context.new_page(), ann)
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_text("will be sent as ann")).to_be_visible()
    await page.get_by_role("button", name="Send again").click()

    await expect(page.get_by_role("heading", name="«my notebook» is issued")).to_be_visible()
