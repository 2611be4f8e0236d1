"""What owners and admins say about payouts, and what they are told."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bots.cards.notices import told
from bots.chat.parsing import parsed, typable
from bots.chat.reply import Reply
from bots.commands import discovered
from core.domain.account import Actor, Platform
from core.domain.payout import PayoutState
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.payouts import IBAN, an_admin, asked, earned
from tests.builders.scenes import somebody


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


async def test_an_owner_asks_looks_and_calls_back(house: House) -> None:
    ann = await somebody(house)
    nothing = await say(house, ann, "payout list")
    poor = await say(house, ann, "payout request", amount="all", to=IBAN)
    await earned(house, ann, 2500)
    request = await say(house, ann, "payout request", amount="all", to=IBAN)
    listed = await say(house, ann, "payout list")
    back, _ = await press(house, ann, listed, "Call 2500 back")
    twice, _ = await press(house, ann, request, "Call it back")
    after = await say(house, ann, "payout list")

    name = dict(request.fields)["id"]
    assert (nothing.title, poor.code) == ("No payouts yet", "not_enough_earned")
    assert (request.title, request.fields) == ("2500 qoints are requested", (("id", name), ("to", IBAN)))
    assert rows(listed) == ((name, "2500", "requested"),)
    assert (back.title, twice.code) == ("2500 qoints are in your earnings again", "payout_state")
    assert (rows(after), labels(after)) == (((name, "2500", "cancelled"),), [])


@pytest.mark.parametrize(
    ("amount", "code"), [("many", "bad_value"), ("-5", "not_enough_earned"), ("1", "not_enough_earned")]
)
async def test_an_amount_is_a_number_or_all(house: House, amount: str, code: str) -> None:
    assert (await say(house, await somebody(house), "payout request", amount=amount, to=IBAN)).code == code


async def test_earnings_are_spent(house: House) -> None:
    ann = await somebody(house)
    await earned(house, ann, 30)
    some = await say(house, ann, "payout spend", amount="10")
    rest = await say(house, ann, "payout spend", amount="all")

    assert some.title == "10 earned qoints are in your wallet"
    assert rest.title == "20 earned qoints are in your wallet"
    assert (await say(house, ann, "payout spend", amount="1")).code == "not_enough_earned"


async def test_an_admin_looks_approves_all_of_it_and_pays(house: House, clock: HandClock) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    nothing = await say(house, root, "admin payouts")
    one, own = (await asked(house, ann)).id, (await asked(house, root)).id
    clock.advance(timedelta(days=3))
    two = (await asked(house, bob, 12_000, to="=HYPERLINK(x)")).id
    seen = await say(house, root, "admin payouts")
    approved, _ = await press(house, root, seen, "Approve 2: 14000 qoints")
    to_pay, _ = await press(house, root, approved, "To pay")
    paid = await say(house, root, "admin paid", payout=one, reference="TX 1")
    refused = await say(house, root, "admin paid", payout=two, reference="TX 2")

    wrong = await say(house, root, "admin payouts", state="gone")
    dispatcher, call = a_dispatcher(), a_call(house, root)

    assert (nothing.title, labels(nothing)) == ("No payout is requested", ["To pay"])
    assert wrong.lines[0].startswith("There is no payout state «gone».")
    assert await dispatcher.question(dispatcher.definition("admin payouts"), call, {}) is None
    assert seen.title == "3 payouts requested: 16000 qoints"
    assert seen.lines == (
        "2 payouts can be approved by you now: 14000 qoints.",
        "ann 2000, bob 12000",
        "1 payout cannot: the table says why.",
    )
    assert rows(seen) == (
        (one, "ann: 2000", "requested 3 days ago"),
        (own, "root: 2000", "requested 3 days ago. Somebody else has to do this: it is your own payout."),
        (two, "bob: 12000", "requested today. It takes two admins."),
    )
    assert labels(seen) == [
        "Approve 2: 14000 qoints",
        f"ann: 2000 qoints ({one})",
        f"root: 2000 qoints ({own})",
        f"bob: 12000 qoints ({two})",
        "To pay",
    ]
    assert approved.title == "2 payouts approved: 14000 qoints"
    assert to_pay.lines[0] == "1 payout can be paid by you now: 2000 qoints."
    assert (paid.title, paid.lines) == (f"Payout {one} of 2000 qoints is paid", ("Reference: TX 1",))
    assert refused.code == "four_eyes"
    (file,) = to_pay.files
    content = b"".join([chunk async for chunk in house.blobs.open(file.sha256)]).decode()
    table = list(csv.DictReader(io.StringIO(content, newline="")))
    assert file.name == "payouts approved.csv"
    assert [(row["id"], row["owner"], row["amount"], row["to"], row["approved by"]) for row in table] == [
        (one, "ann", "2000", IBAN, "root"),
        (two, "bob", "12000", "'=HYPERLINK(x)", "root"),
    ]


async def test_an_admin_looks_closely_and_a_second_one_pays(house: House) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    one = (await asked(house, ann, 12_000)).id
    close, _ = await press(house, root, await say(house, root, "admin payouts"), f"ann: 12000 qoints ({one})")
    await press(house, root, close, "Approve")
    paying = await say(house, eve, "admin payout", payout=one)
    arguments = button(paying, "It is paid").arguments
    paid = await say(house, eve, "admin paid", **arguments, reference="TX 1")
    listed = await say(house, eve, "admin payouts", state="paid", month="2026-03")
    over = await say(house, eve, "admin payout", payout=one)

    assert (close.title, close.lines) == (f"ann: 12000 qoints ({one})", ("requested today. It takes two admins.",))
    assert close.fields == (("to", IBAN), ("requested", "01 Mar 2026, 12:00"))
    assert (labels(close), labels(paying)) == (["Approve", "Reject"], ["It is paid", "It failed"])
    assert paid.code is None
    assert (rows(listed), listed.files[0].name) == (((one, "ann: 12000", "paid today"),), "payouts paid 2026-03.csv")
    assert (await say(house, eve, "admin payouts", state="paid", month="2026-04")).title == "No payout is paid"
    assert (await say(house, eve, "admin payouts", state="paid", month="April")).code == "bad_value"
    assert over.fields[-3:] == (("approved by", "root"), ("paid by", "eve"), ("reference", "TX 1"))


async def test_what_is_rejected_or_fails_is_explained_to_its_owner(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    one, two = (await asked(house, ann)).id, (await asked(house, ann)).id
    await say(house, root, "admin approve", payouts=two)
    rejected = await say(house, root, "admin reject", payout=one, reason="no such person")
    failed = await say(house, root, "admin failed", payout=two, reason="no such bank")
    listed = await say(house, ann, "payout list")
    again, _ = await press(house, ann, listed, "Ask for 2000 again")
    silent = await say(house, root, "admin reject", payout=two, reason=" ")

    assert (rejected.title, rejected.lines) == (f"Payout {one} of 2000 qoints is rejected", ("no such person",))
    assert (failed.title, failed.lines) == (f"Payout {two} of 2000 qoints has failed", ("no such bank",))
    assert set(rows(listed)) == {(one, "2000", "rejected: no such person"), (two, "2000", "failed: no such bank")}
    assert (again.title, labels(again)) == ("2000 qoints are requested again", ["Call it back"])
    assert silent.code == "bad_value"


async def test_notices_say_what_happened_in_words(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    one = (await asked(house, ann)).id
    await say(house, root, "admin reject", payout=one, reason="no such person")
    waiting = await house.store.notices.pending(Platform.CONSOLE, now=house.services.payouts.clock.now())
    replies = [await told(a_call(house, ann), notice) for notice in waiting]

    assert {reply.title: reply.lines for reply in replies} == {
        "You asked for 2000 qoints": (f"An admin decides. Until then you can call it back: `payout cancel {one}`.",),
        "ann asks for 2000 qoints": ("Decide: `admin payouts`.",),
        "Your payout of 2000 qoints is rejected": ("no such person", "They are in your earnings again."),
    }


async def test_several_are_approved_by_their_ids_and_one_by_its_name(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    ids = [(await asked(house, who)).id for who in (ann, bob, ann, ann)]
    both = await say(house, root, "admin approve", payouts=f"{ids[0]} {ids[1]}")
    named = await say(house, root, "admin approve", payouts=f"ann: 2000 qoints ({ids[2]})")
    unknown = await say(house, root, "admin approve", payouts=f"{ids[3]} nowhere")
    nothing = await say(house, root, "admin approve", payouts=" ")
    late = await say(house, root, "admin approve", payouts=f"{ids[3]} {ids[0]}")

    assert (both.title, named.title) == ("2 payouts approved: 4000 qoints", "1 payout approved: 2000 qoints")
    assert (unknown.code, nothing.code, late.code) == ("not_found", "not_found", "payout_state")
    assert [one.payout.id for one in await house.services.payouts.claims(root, PayoutState.REQUESTED)] == [ids[3]]


async def test_what_fits_is_offered_to_choose_from(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    one, two = (await asked(house, ann)).id, (await asked(house, bob)).id
    await say(house, root, "admin approve", payouts=two)

    async def offered(actor: Actor, path: str, name: str) -> list[tuple[str, str]]:
        page = await a_dispatcher().choices(discovered()[path], name, a_call(house, actor), "", {})
        return [(choice.value, choice.label) for choice in page.choices]

    assert await offered(ann, "payout request", "amount") == [("all", "all")]
    assert await offered(ann, "payout cancel", "payout") == [(one, f"2000 qoints ({one})")]
    assert await offered(bob, "payout cancel", "payout") == []
    for path, name in (("admin approve", "payouts"), ("admin reject", "payout")):
        assert await offered(root, path, name) == [(one, f"ann: 2000 qoints ({one})")]
    for path in ("admin paid", "admin failed"):
        assert await offered(root, path, "payout") == [(two, f"bob: 2000 qoints ({two})")]
    assert await offered(ann, "admin paid", "payout") == []


async def test_what_is_missing_is_asked_for_in_turn(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    dispatcher, commands = a_dispatcher(), discovered()

    async def question(actor: Actor, path: str, *given: str) -> str | None:
        return await dispatcher.question(commands[path], a_call(house, actor), dict.fromkeys(given, "x"))

    assert await question(ann, "payout request") == "amount"
    assert await question(ann, "payout request", "amount") == "to"
    assert await question(root, "admin paid", "payout") == "reference"
    assert await question(root, "admin reject", "payout") == "reason"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("payout request 1500 DE02 1203 0000", {"amount": "1500", "to": "DE02 1203 0000"}),
        ("payout request all ann@example.org", {"amount": "all", "to": "ann@example.org"}),
        ("admin approve a1 b2", {"payouts": "a1 b2"}),
        ("admin paid a1 TX 17", {"payout": "a1", "reference": "TX 17"}),
        ("admin failed a1 no such bank", {"payout": "a1", "reason": "no such bank"}),
    ],
)
def test_a_typed_line_needs_no_quotes(line: str, words: dict[str, str]) -> None:
    typed = parsed(line, discovered())

    assert typed.words == words
    assert parsed(typable(typed.definition, typed.words), discovered()).words == words
