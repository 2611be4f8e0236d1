"""First steps, linking, notify, and what admins do about people and communities, as it is said in chats."""

from dataclasses import replace

import pytest

from bots.chat.parameter import Raw
from bots.chat.reply import Reply
from bots.console.speaking import seated
from core.domain.account import Actor, Notify, Place, Platform, Role, Telling, Where
from core.domain.link import code_hash
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import a_ready_dataset, everything_in, somebody

DM = Place(platform=Platform.DISCORD, chat="42")
CHANNEL = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")


async def hilda_of(house: House) -> Actor:
    return await house.services.accounts.welcome(Platform.DISCORD, "42", name="Hilda")


async def in_channel(house: House, actor: Actor, path: str, **raw: Raw) -> Reply:
    dispatcher = a_dispatcher()
    call = replace(a_call(house, actor), place=CHANNEL, private=DM)
    return await dispatcher.run(dispatcher.definition(path), call, raw)


async def redeemed_by(house: House, actor: Actor, code: str) -> Reply:
    """Say a code, and that it is one's own."""
    reply, _ = await press(house, actor, await say(house, actor, "link", code=code), "It is mine")
    return reply


async def test_two_logins_become_one_person(house: House) -> None:
    ann, hilda = await somebody(house), await hilda_of(house)
    issued = await say(house, ann, "link")
    warned = await in_channel(house, hilda, "link", code=issued.title.lower().replace("-", " "))
    redeemed = await in_channel(house, hilda, "link redeem", **button(warned, "It is mine").arguments)
    asked = await say(house, ann, "link")
    confirmed, then = await press(house, ann, asked, "Confirm")
    again, _ = await press(house, ann, asked, "Confirm")
    late, _ = await press(house, ann, asked, "Refuse")
    profile = dict((await say(house, await hilda_of(house), "me")).fields)

    assert issued.lines[0] == (
        f"Where you are somebody else so far, say `link {issued.title}` within 10 minutes, and confirm here."
    )
    assert (warned.title, redeemed.title) == ("Become one with the account that made this code?", "Almost there")
    assert (asked.title, labels(asked)) == ("Are you Hilda on Discord?", ["Confirm", "Refuse"])
    assert (confirmed.title, then, again.title) == ("Hilda on Discord is you now", "replace", confirmed.title)
    assert late.code == "code_gone"
    assert profile["logins"] == "console:ann (ann), discord:42 (Hilda)"
    assert (profile["account"], profile["role"], profile["points"]) == (ann.account, "user", "200")


async def test_a_request_is_refused_with_a_button(house: House) -> None:
    ann, hilda = await somebody(house), await hilda_of(house)
    await redeemed_by(house, hilda, (await say(house, ann, "link")).title)
    refused, _ = await press(house, ann, await say(house, ann, "link"), "Refuse")

    assert refused.title == "Refused"
    assert await hilda_of(house) == hilda
    assert labels(await say(house, ann, "link")) == []


async def test_the_request_is_asked_and_answered_in_private(house: House, database: Database) -> None:
    hilda, ann = await hilda_of(house), await somebody(house)
    code = (await in_channel(house, hilda, "link")).title
    await redeemed_by(house, ann, code)

    (notice,) = (await everything_in(database))["notices"]

    assert (notice["place"]["chat"], notice["place"]["private"]) == ("42", True)


@pytest.mark.parametrize(("path", "start"), [("start", "link_"), ("link", "")])
async def test_a_code_that_anyone_may_have_sent_asks_before_it_is_redeemed(house: House, path: str, start: str) -> None:
    ann, hilda = await somebody(house), await hilda_of(house)
    code = (await say(house, ann, "link")).title.replace("-", "")
    followed = await say(house, hilda, path, code=f"{start}{code}")
    kept = await house.store.link_codes.find(code_hash(code))
    joined, _ = await press(house, hilda, followed, "It is mine")

    assert followed.title == "Become one with the account that made this code?"
    assert kept
    assert joined.title == "Almost there"
    assert await house.store.link_codes.find(code_hash(code)) is None
    assert [one.joining for one in await house.services.links.waiting(ann)] == [hilda.account]


async def test_a_link_to_a_job_shows_its_card_to_those_who_may_see_it(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_ready_dataset(house, ann)
    job = (await house.services.jobs.list(ann))[0]

    assert (await say(house, ann, "start", code=f"job_{job.id}")).job == job.id
    assert (await say(house, bob, "start", code=f"job_{job.id}")).code == "not_found"
    assert (await say(house, bob, "start", code="anything")).title == "Welcome to LoraGuild, bob"
    assert labels(await say(house, bob, "start")) == ["My datasets", "What can be trained", "My wallet"]


async def test_codes_that_are_not_valid_are_refused_with_words(house: House) -> None:
    ann = await somebody(house)
    own = (await say(house, ann, "link")).title
    codes = [(await redeemed_by(house, ann, code)).code for code in (own, "nope", "§", "a" * 5000, "x", "y")]

    assert codes == ["cannot_merge", *["code_gone"] * 4, "too_often"]


async def test_somebody_chooses_how_to_be_told(house: House) -> None:
    ann = await somebody(house)
    shown = await say(house, ann, "notify")
    chosen, then = await press(house, ann, shown, "Only the end")
    await say(house, ann, "notify", where="channel")
    wrong = await say(house, ann, "notify", telling="loud")

    assert shown.lines == ("in private, a card that moves",)
    assert labels(shown) == ["In the channel where you ordered", "Only the end", "Nothing at all"]
    assert (chosen.lines, then) == (("in private, only the end",), "replace")
    assert wrong.code == "not_found"
    assert (await somebody(house)).notify == Notify(where=Where.CHANNEL, telling=Telling.FINAL)
    told = dict((await say(house, await somebody(house), "me")).fields)["told"]
    assert told == "in the channel where you ordered, only the end"


async def test_admins_ban_let_in_again_and_give_roles(house: House) -> None:
    root = await somebody(house, "root")
    await somebody(house)
    banned = await say(house, root, "admin ban", user="ann", why="too much spam")
    shut_out = await say(house, await somebody(house), "help")
    welcome = await say(house, root, "admin unban", user="@ann")
    promoted = await say(house, root, "admin role", user="console:ann", role="moderator")

    assert (banned.title, banned.lines) == ("ann is banned", ("too much spam",))
    assert shut_out.lines == ("You cannot use this bot: too much spam. Ask an admin if you think that this is wrong.",)
    assert (welcome.title, promoted.title) == ("ann is welcome again", "ann is moderator now")
    assert (await say(house, await somebody(house), "help")).code is None


async def test_a_viewer_looks_and_changes_nothing(house: House) -> None:
    viewer = (await somebody(house)).but(role=Role.VIEWER)
    looks = ["start", "help", "me", "notify", "wallet", "receipts", "offerings", "dataset list", "train list"]

    assert [(await say(house, viewer, path)).code for path in (*looks, "model list")] == [None] * 10
    for path in ("dataset new", "dataset add", "train order", "train cancel", "imagine", "model publish", "link"):
        assert (await say(house, viewer, path)).code == "not_allowed"


@pytest.mark.parametrize("path", ["admin ban", "admin unban", "admin role", "admin setting"])
async def test_only_admins_judge(house: House, path: str) -> None:
    assert (await say(house, await somebody(house), path, user="root", why="x")).code == "not_allowed"


async def test_admins_set_what_may_be_done_in_a_community(house: House) -> None:
    root, ann = await somebody(house, "root"), await somebody(house)
    everything = await in_channel(house, root, "admin setting")
    changed = await in_channel(house, root, "admin setting", name="channels", value="<#8>")
    one = await in_channel(house, root, "admin setting", name="channels")
    wrong = await in_channel(house, root, "admin setting", name="nsfw", value="perhaps")
    elsewhere = await say(house, root, "admin setting")
    shut_out = await in_channel(house, ann, "wallet")

    assert everything.table
    assert [row[:2] for row in everything.table.rows] == [
        ("channels", "all"),
        ("rating", "sfw"),
        ("orders", "user"),
        ("nsfw", "no"),
    ]
    assert changed.title == "channels is 8 now"
    assert one.table
    assert [row[:2] for row in one.table.rows] == [("channels", "8")]
    assert (wrong.code, elsewhere.code, shut_out.code) == ("bad_value", "not_here", "not_here")


async def test_a_session_that_lasts_speaks_for_who_one_is_by_now(house: House) -> None:
    hilda, root = await hilda_of(house), await somebody(house, "root")
    speaker = await seated(house.settings, services=house.services, blobs=house.blobs, name="ann")
    await speaker.said(f"link redeem {(await in_channel(house, hilda, 'link')).title}")
    (request,) = await house.services.links.waiting(hilda)
    await house.services.links.confirm(hilda, request.id)
    profile = dict((await speaker.said("me")).fields)
    await house.services.accounts.ban(root, await house.store.accounts.get(hilda.account), why="spam")

    assert profile["account"] == hilda.account
    assert (await speaker.said("me")).code == "banned"
