"""One story of every command, lived through in all three chats: each answers the same, and leaves the same behind."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bots.chat.parsing import Typed, typable
from bots.commands import discovered
from bots.console.speaking import Speaker
from bots.telegram.filing import THEIRS
from bots.telegram.serving import serve as telegram_serve
from core.domain.account import Actor, Place, Platform, Role
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset
from core.domain.job import Job
from core.domain.ledger import REVENUE, Act, Lot, Transaction, between, earnings
from core.ports.clock import HandClock, RandomIds
from loraguild.composition import House, assembled
from storage.repositories.entities import Database
from tests.bots.discord.scene import serving as discord_serving
from tests.bots.telegram.conftest import PACE
from tests.builders.chats import a_dispatcher
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import (
    a_ready_dataset,
    a_trained_model,
    an_order,
    claimed,
    described,
    everything_in,
    finished,
    given,
    imagined,
)
from tests.conftest import KEPT
from tests.emulators.discord import Discord
from tests.emulators.dropbox import APP_KEY
from tests.emulators.telegram import File, Telegram

ME, OTHER, THIRD = "7", "8", "9"
FILES = {"a.png": b"a", "b.png": b"b"}
ELSEWHERE = frozenset({"place", "home", "key", "sealed", "token", "lease_until"})  # what a chat may do in its own way
LOOKED_AT = ("accounts", "audits", "balances", "captions", "characters", "communities", "connections", "datasets",
             "disputes", "generations", "items", "jobs", "ledger", "models", "notices", "payouts", "quotes", "reports",
             "runs", "signins", "switches", "vouchers")  # fmt: skip
NAMED_BY_KEYS = ("audits", "ledger", "notices")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One use of a command."""

    path: str
    given: Mapping[str, str] = field(default_factory=dict)
    files: bool = False


def step(path: str, *, files: bool = False, **words: str) -> Step:
    return Step(path=path, given=words, files=files)


STORY = (
    step("start"),
    step("help", name="dataset new"),
    step("me"),
    step("link"),
    step("login"),
    step("notify", where="dm", telling="quiet"),
    step("dataset new", name="cats", trigger="catzz", rating="sfw"),
    step("dataset new", name="cats", trigger="catzz", rating="sfw"),  # taken
    step("dataset add", dataset="cats", files=True),
    step("dataset upload", dataset="cats"),
    step("dataset list", text="zorp"),
    step("dataset view", dataset="zorp"),
    step("dataset check", dataset="zorp"),
    step("dataset fetch", dataset="cats", links="https://example.com/a.png"),
    step("dataset edit", dataset="zorp", description="A *cat* <b>&", tags="cats, small", constraints="at home"),
    step("dataset share", dataset="zorp", whom="Bob"),
    step("dataset unshare", dataset="zorp", user="Bob"),
    step("dataset consent", dataset="zorp"),
    step("dataset export", dataset="zorp", wished="kohya"),
    step("connect dropbox"),
    step("connect forget"),
    step("dataset remove", dataset="zorp", pictures="1 2"),
    step("dataset delete", dataset="cats"),
    step("dataset restore", dataset="{binned}"),
    step("dataset purge", dataset="{spoilt}"),
    step("character new", name="Zorp", trigger="zorp"),
    step("character new", name="Zorp", trigger="zorp-2"),  # taken
    step("character list"),
    step("character trait", character="Zorp", category="eye-colour", value="green"),
    step("character view", character="Zorp"),
    step("character edit", character="Zorp", name="Zorpy"),
    step("character adult", character="Zorpy"),
    step("character delete", character="Zorpy"),
    step("character restore", character="{gone}"),
    step("caption edit", dataset="zorp", picture="1", text="zorp, *striped* <b>&"),
    step("caption history", dataset="zorp", picture="1"),
    step("caption diff", dataset="zorp", picture="1"),
    step("caption undo", dataset="zorp", picture="1"),
    step("caption replace", dataset="zorp", find="number", words="no"),
    step("caption prepend", dataset="zorp", words="at night"),
    step("caption append", dataset="zorp", words="at night"),
    step("caption clear", dataset="zorp"),
    step("caption review", dataset="zorp", picture="2", verdict="approve", note="*good* <b>&"),
    step("caption set", dataset="zorp", name="long", copy="main"),
    step("caption delete", dataset="zorp", picture="3"),
    step("caption auto", dataset="zorp", mode="overwrite"),
    step("caption retry", job="{described}"),
    step("caption providers", dataset="zorp"),
    step("caption providers", dataset="zorp"),
    step("caption retry", job="{waiting}"),  # no captioning
    step("offerings"),
    step("quote", dataset="gorp", offering="tiny", preset="fast", settings="steps=100"),
    step("quote", dataset="gorp", offering="tiny", preset="fast", settings="steps=100000"),  # out of bounds
    step("train order", dataset="gorp", offering="tiny", preset="fast"),
    step("train list"),
    step("train view", job="{trained}"),
    step("train why", job="{waiting}"),
    step("train cancel", job="{waiting}"),
    step("train retry", job="{waiting}"),
    step("train sample", job="{running}"),
    step("train save", job="{running}"),
    step("train stop", job="{running}"),
    step("train extend", job="{running}", steps="100"),
    step("train sample", job="{trained}"),  # it has ended
    step("receipts", job="{trained}"),
    step("model list", scope="mine"),
    step("model view", model="gorp"),
    step("model card", model="gorp"),
    step("model download", model="gorp"),
    step("model samples", model="gorp", numbers="1"),
    step("model epoch", model="gorp"),
    step("model edit", model="gorp", licence="cc0-1.0", tags="cats, small", description="A *cat* <b>&"),
    step("model share", model="gorp", user="Bob"),
    step("model unshare", model="gorp", user="Bob"),
    step("model publish", model="gorp", visibility="public"),
    step("model rename", model="gorp", name="gorp two"),
    step("model stats", model="gorp"),  # by its old name
    step("model pin", model="gorp"),  # not in private
    step("model unpublish", model="gorp-two"),
    step("model delete", model="gorp-two"),
    step("imagine", prompt="gorp:0.8 on a hill, <lora:gorp>", count="2", seed="5", size="64x72", negative="a dog"),
    step("imagine", prompt="<lora:nothing> on a hill"),  # not there
    step("generation list"),
    step("generation info", job="{drawn}"),
    step("generation again", job="{drawn}"),
    step("generation vary", job="{drawn}", picture="1", strength="50"),
    step("generation rate", job="{drawn}", stars="4", words="nearly"),
    step("generation delete", job="{drawn}"),
    step("wallet"),
    step("redeem", code="{code}"),
    step("statement", month="2026-03"),
    step("dispute", job="{trained}", why="it is all blue"),
    step("earnings", month="2026-03"),
    step("payout request", amount="1200", to="ann at a bank"),
    step("payout list"),
    step("payout cancel", payout="1200"),
    step("payout spend", amount="30"),
    step("report", kind="model", name="borp", why="That is me"),
    step("moderation reports"),
    step("moderation adult", user="Bob", state="on"),
    step("forget me"),
    step("admin workers"),
    step("admin queue"),
    step("admin requeue", job="{running}"),
    step("admin pause"),
    step("admin resume"),
    step("admin pause", what="training"),
    step("admin resume", what="training"),
    step("admin drain", worker="w1"),
    step("admin undrain", worker="w1"),
    step("admin offering", offering="tiny", state="off"),
    step("admin grant", user="Bob", amount="5", why="kindness"),
    step("admin disputes"),
    step("admin refund", job="{bobs}", amount="3", why="a gift"),
    step("admin code", amount="10", count="1", days="30", kind="gift"),
    step("admin payouts", state="requested"),
    step("admin approve", payouts="{payout}"),
    step("admin paid", payout="{payout}", reference="transfer 1"),
    step("admin reject", payout="{refused}", reason="unknown bank"),
    step("admin related", user="Bob", other="Cid", state="on"),
    step("admin ban", user="Bob", why="rude"),
    step("admin unban", user="Bob"),
    step("admin role", user="Bob", role="moderator"),
    step("admin moderate"),
    step("admin setting", name="rating", value="nsfw"),
    step("admin audit", user="Ann"),
    step("admin broadcast", text="hello"),
)


class Counted(RandomIds):
    """Names in order, so that the same story gives the same names in every chat."""

    def __init__(self) -> None:
        self._numbers, self._codes = itertools.count(), itertools.count()

    def new(self) -> str:
        return f"name{next(self._numbers):08}"

    def code(self) -> str:
        return f"code{next(self._codes):022}"

    def seed(self) -> int:
        return 7


Say = Callable[[Step, str], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The title of an answer, and what was in the house after it."""

    title: str
    rows: Mapping[str, Any]


async def test_every_command_has_its_place_in_the_story() -> None:
    assert {one.path for one in STORY} == {path for path, known in discovered().items() if known.menu}


@pytest.mark.timeout(900)  # a hundred commands, three times, on a busy machine
async def test_all_chats_answer_the_same_and_leave_the_same(
    house: House, database: Database, clock: HandClock, tmp_path: Path
) -> None:
    told = await lived(house, database, Platform.CONSOLE, lambda own: at_the_console(own, tmp_path))
    by_telegram = await lived(house, database, Platform.TELEGRAM, in_telegram, expected=told)
    by_discord = await lived(house, database, Platform.DISCORD, lambda own: in_discord(own, clock), expected=told)

    for wanted, telegram, discord, one in zip(told, by_telegram, by_discord, STORY, strict=True):
        assert (one, telegram) == (one, wanted)
        assert (one, discord) == (one, wanted)


async def lived(
    house: House,
    database: Database,
    platform: Platform,
    chat: Callable[[House], Any],
    *,
    expected: list[Outcome] | None = None,
) -> list[Outcome]:
    """Live through the story in one chat; another chat's titles are what is waited for."""
    for name in set(await database.list_collection_names()) - KEPT:
        await database[name].delete_many({})
    settings = house.settings.model_copy(update={"dropbox_app_key": APP_KEY})
    services = assembled(settings, store=house.store, blobs=house.blobs, clock=house.services.jobs.clock, ids=Counted())
    own = replace(house, services=services)
    names = await begun(own, platform)
    outcomes = []
    async with chat(own) as say:
        for number, one in enumerate(STORY):
            filled = replace(one, given={name: text.format(**names) for name, text in one.given.items()})
            title = await say(filled, expected[number].title if expected else "")
            outcomes.append(Outcome(title=title, rows=await looked_at(database)))
    return outcomes


async def begun(house: House, platform: Platform) -> Mapping[str, str]:
    """Let Ann be an admin with a dataset, a model, a running and a waiting training; and let there be Bob."""
    ann = await house.services.accounts.welcome(platform, ME, name="Ann")
    bob = await house.services.accounts.welcome(platform, OTHER, name="Bob")
    cid = await house.services.accounts.welcome(platform, THIRD, name="Cid")
    account = await house.store.accounts.get(ann.account)
    await house.store.accounts.save(account.but(role=Role.ADMIN))
    await given(house, ann, 500)
    ready = await a_ready_dataset(house, ann)
    model = await a_trained_model(house, ann, name="gorp")
    borp = await a_trained_model(house, bob, name="borp")
    await house.services.models.share(bob, borp.id, account)
    half = await half_described(house, ann, ready)
    running, _ = await claimed(house, await an_order(house, ann, ready))
    waiting = await an_order(house, ann, ready)
    drawn = await finished(house, await imagined(house, ann, "gorp"))
    names = {"trained": model.run, "running": running.id, "waiting": waiting.id, "drawn": drawn.id, "bobs": borp.run}
    names["described"] = half.id
    return {**names, **await thrown_away(house, ann), **await earned(house, ann, bob, cid)}


async def half_described(house: House, ann: Actor, dataset: Dataset) -> Job:
    """Let a captioner fail on one picture of a dataset."""
    captionings, first = house.services.captionings, (await house.store.items.of(dataset.id))[0]
    ordered = await captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="half")
    job, token = await claimed(house, ordered)
    await described(house, job, failing={first.id: "It was too dark."})
    return await house.services.jobs.finish(job.id, token, await captionings.result(job))


async def thrown_away(house: House, ann: Actor) -> Mapping[str, str]:
    """Let Ann have deleted two datasets and a character."""
    names = {}
    for name in ("binned", "spoilt"):
        dataset = await house.services.datasets.create(ann, name=name, trigger=name)
        names[name] = (await house.services.datasets.delete(ann, dataset)).id
    gone = (await house.services.characters.create(ann, name="Gone", trigger="gonex")).character
    await house.services.characters.delete(ann, gone.id)
    return {**names, "gone": gone.id}


async def earned(house: House, ann: Actor, *others: Actor) -> Mapping[str, str]:
    """Let everybody have earnings, the others ask for theirs, Bob want his money back, and Ann have a code."""
    for actor in (ann, *others):
        moved_there = between(REVENUE, earnings(actor.account), {Lot.PURCHASED: 2000})
        royalty = Transaction(
            id=actor.account, act=Act.ROYALTY, owner=actor.account, why="a test", entries=moved_there, at=NOON
        )
        await house.store.ledger.post(royalty)
    payouts = [
        await house.services.payouts.request(actor, amount=1500, to="a bank", key=f"payout of {actor.name}")
        for actor in others
    ]
    (borp,) = await house.store.models.owned(others[0].account)
    await house.services.disputes.open(others[0], borp.run, why="it is all grey")
    admin = ann.but(role=Role.ADMIN)
    issued = await house.services.vouchers.issue(admin, amount=70, count=1, days=30, sold=True, key="a code")
    return {"payout": payouts[0].id, "refused": payouts[1].id, "code": issued.codes[0]}


async def looked_at(database: Database) -> Mapping[str, Any]:
    """What is in the house, apart from what a chat may do in its own way."""
    found = await everything_in(database, *LOOKED_AT)
    return {name: sorted(str(_plain(row, keyed=name in NAMED_BY_KEYS)) for row in rows) for name, rows in found.items()}


def _plain(row: Mapping[str, Any], *, keyed: bool) -> Mapping[str, Any]:
    hidden = ELSEWHERE | ({"_id", "state", "claimed_until", "tries"} if keyed else set())
    return {name: _inside(value) for name, value in sorted(row.items()) if name not in hidden}


def _inside(value: Any) -> Any:
    """What lies in a field, without the keys of what was wished for."""
    if isinstance(value, list):
        return [_inside(one) for one in value]
    return {name: one for name, one in value.items() if name != "key"} if isinstance(value, dict) else value


@asynccontextmanager
async def at_the_console(house: House, folder: Path) -> AsyncIterator[Say]:
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    actor = await house.services.accounts.welcome(Platform.CONSOLE, ME, name="Ann")
    speaker = Speaker(
        actor=actor,
        place=Place(platform=Platform.CONSOLE, chat=ME, adult=True),
        services=house.services,
        blobs=house.blobs,
        dispatcher=a_dispatcher(),
        folder=folder / "console",
    )

    async def say(one: Step, _: str) -> str:
        paths = tuple(str(folder / name) for name in FILES) if one.files else ()
        typed = Typed(definition=speaker.dispatcher.definition(one.path), words=one.given)
        return (await speaker.ran(typed, files=paths)).title

    yield say


@asynccontextmanager
async def in_telegram(house: House) -> AsyncIterator[Say]:
    async with Telegram.running() as telegram:
        ann, stop = telegram.person(int(ME), "Ann"), asyncio.Event()
        bot = asyncio.create_task(
            telegram_serve(
                services=house.services,
                blobs=house.blobs,
                token=telegram.token,
                api_url=telegram.base,
                webhook_url=None,
                webhook_port=0,
                secret="a secret",
                limits=THEIRS,
                pace=PACE,
                stop=stop,
            )
        )

        async def say(one: Step, title: str) -> str:
            path, _, rest = typable(discovered()[one.path], one.given).removeprefix(one.path).partition(" ")
            await ann.says(f"/{one.path.replace(' ', '_')} {path}{rest}".strip())
            if one.files:
                await ann.sends(*(File(name=name, content=content) for name, content in FILES.items()))
                await ann.clicks(await telegram.heard(ann.id, containing=f"{len(FILES)} files are here"), "Done")
            return title if await telegram.heard(ann.id, containing=title) else ""

        try:
            yield say
        finally:
            stop.set()
            await bot


@asynccontextmanager
async def in_discord(house: House, clock: HandClock) -> AsyncIterator[Say]:
    async with Discord.running(clock=clock) as discord, discord_serving(house, discord):
        ann = discord.person(int(ME), "Ann")
        for name, person in ((OTHER, "Bob"), (THIRD, "Cid")):
            discord.person(int(name), person)

        async def say(one: Step, _: str) -> str:
            options: dict[str, Any] = {**one.given}
            if one.files:
                options |= zip(("files_1", "files_2"), FILES.items(), strict=True)
            answered = await ann.slash(one.path, channel=ann.dm, **options)
            return answered.last.title.replace("\\", "")  # what people typed is escaped

        yield say
