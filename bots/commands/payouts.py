"""Payouts: owners take what they have earned, admins approve, pay and look through what waits."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Annotated

from bots.cards.claims import closely, named, overview
from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Integer, Listed, MonthOf, OneOf, Raw, Row, Text
from bots.chat.references import PayoutRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import are, number
from core.domain.account import Role
from core.domain.errors import NotFound
from core.domain.ledger import qoints
from core.domain.payout import Payout, PayoutState

ALL = "all"
SHOWN = 8  # buttons


class Amount(Listed[int | None]):
    """So many qoints, or all that there are (None)."""

    noun = "amount"

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[int | None]]:
        """All; other amounts are typed."""
        return [Row(value=ALL, label=ALL, thing=None)]

    async def parse(self, call: Call, raw: Raw, given: Given) -> int | None:
        """The amount.

        Raises:
            BadValue: It is no whole number.
        """
        return None if raw == ALL else await Integer("").parse(call, raw, given)


class Standing(OneOf[PayoutState]):
    """A state; nobody is asked, since buttons lead to the others."""

    asked = False


class ClaimRef(PayoutRef):
    """Anybody's payout, by id; those in some states are offered."""

    hint = "See `admin payouts`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Payout]]:
        """Everybody's payouts, in the order of asking."""
        found = [one for state in self._states for one in await call.services.payouts.claims(call.actor, state)]
        return [Row(value=one.payout.id, label=named(one), thing=one.payout) for one in found]


class ClaimRefs(Listed[tuple[Payout, ...]]):
    """Payouts that wait for approval, one or several."""

    noun = "payout"
    hint = "See `admin payouts`."
    rest = True

    def __init__(self, help: str) -> None:  # noqa: A002 - the word every chat shows
        super().__init__(help)
        self._one = ClaimRef(help, PayoutState.REQUESTED)

    async def rows(
        self, call: Call, text: str, given: Given, *, after: str, limit: int
    ) -> Sequence[Row[tuple[Payout, ...]]]:
        """Those that wait, in the order of asking."""
        rows = await self._one.rows(call, text, given, after=after, limit=limit)
        return [Row(value=row.value, label=row.label, thing=(row.thing,)) for row in rows]

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[Payout, ...]:
        """The payouts: one by what it is called, several by their ids.

        Raises:
            NotFound: There is no such payout.
            Ambiguous: Several are called so.
        """
        with suppress(NotFound):
            return (await self._one.parse(call, raw, given),)
        words = raw.split() if isinstance(raw, str) else []
        return tuple([await self._one.parse(call, word, given) for word in words or [""]])


Why = Annotated[str, Text("Why: the owner reads this", rest=True)]


@command("payout request")
async def request(
    call: Call,
    amount: Annotated[int | None, Amount("How many qoints, or all")],
    to: Annotated[str, Text("Where they shall go: how an admin can pay you", rest=True)],
) -> Reply:
    """Ask for what you have earned as money."""
    payout = await call.services.payouts.request(call.actor, to=to, amount=amount, key=call.key)
    return Reply(
        title=f"{are(payout.amount, 'qoint')} requested",
        lines=("An admin decides, and you are told.",),
        fields=(("id", payout.id), ("to", payout.to)),
        buttons=(_cancel("Call it back", payout),),
    )


@command("payout list", role=Role.VIEWER)
async def list_(call: Call) -> Reply:
    """Your payouts and how far they are."""
    found = await call.services.payouts.list(call.actor)
    if not found:
        return Reply(title="No payouts yet", lines=("See `earnings`, then `payout request`.",))
    rows = tuple((one.id, f"{one.amount}", _progress(one)) for one in found)
    return Reply(
        title="Your payouts",
        table=Table(header=("payout", "qoints", "state"), rows=rows),
        buttons=tuple(button for one in found for button in _ways(one))[:SHOWN],
    )


@command("payout cancel")
async def cancel(call: Call, payout: Annotated[Payout, PayoutRef("Which payout", PayoutState.REQUESTED)]) -> Reply:
    """Call back what nobody has approved yet."""
    gone = await call.services.payouts.cancel(call.actor, payout.id, key=call.key)
    return Reply(title=f"{are(gone.amount, 'qoint')} in your earnings again")


@command("payout again", menu=False)
async def again(call: Call, payout: Annotated[Payout, PayoutRef("Which payout", PayoutState.FAILED)]) -> Reply:
    """Ask once more for what could not be transferred, to the same address."""
    asked = await call.services.payouts.again(call.actor, payout.id, key=call.key)
    return Reply(
        title=f"{are(asked.amount, 'qoint')} requested again",
        lines=(f"They go to {asked.to}. To send them elsewhere, call this back and ask anew.",),
        buttons=(_cancel("Call it back", asked),),
    )


@command("payout spend")
async def spend(call: Call, amount: Annotated[int | None, Amount("How many qoints, or all")]) -> Reply:
    """Move what you have earned into your own wallet."""
    moved = await call.services.payouts.spend(call.actor, amount, key=call.key)
    amount = moved.change(qoints(call.actor.account))
    return Reply(
        title=f"{are(amount, 'earned qoint')} in your wallet", buttons=(Button(label="My wallet", command="wallet"),)
    )


@command("admin payouts", role=Role.ADMIN)
async def payouts(
    call: Call,
    state: Annotated[PayoutState, Standing("Which payouts", PayoutState)] = PayoutState.REQUESTED,
    month: Annotated[date | None, MonthOf("Only those that came so far in a month, such as 2026-03")] = None,
) -> Reply:
    """Payouts that wait for approval, or are in another state; with the file for whoever transfers them."""
    claims = await call.services.payouts.claims(call.actor, state, month=month)
    if not claims or state not in {PayoutState.APPROVED, PayoutState.PAID}:
        return overview(claims, state)
    name = f"payouts {state}{f' {month:%Y-%m}' if month else ''}.csv"
    file = await call.services.payouts.file(call.actor, claims, name=name)
    return overview(claims, state).but(files=(file,))


@command("admin payout", role=Role.ADMIN, menu=False)
async def payout(
    call: Call,
    payout: Annotated[Payout, ClaimRef("Which payout", PayoutState.REQUESTED, PayoutState.APPROVED)],
) -> Reply:
    """One payout, and what can be done with it."""
    return closely(await call.services.payouts.claim(call.actor, payout.id))


@command("admin approve", role=Role.ADMIN)
async def approve(call: Call, payouts: Annotated[tuple[Payout, ...], ClaimRefs("Which payouts")]) -> Reply:
    """Let payouts be transferred, all that you name or none."""
    done = await call.services.payouts.approve(call.actor, [one.id for one in payouts], key=call.key)
    total = sum(one.amount for one in done)
    return Reply(
        title=f"{number(len(done), 'payout')} approved: {total} qoints",
        lines=("Transfer them, and say so: `admin paid PAYOUT REFERENCE`.",),
        buttons=(Button(label="To pay", command="admin payouts", arguments={"state": PayoutState.APPROVED}),),
    )


@command("admin reject", role=Role.ADMIN)
async def reject(
    call: Call, payout: Annotated[Payout, ClaimRef("Which payout", PayoutState.REQUESTED)], reason: Why
) -> Reply:
    """Give back what was requested, with words for its owner."""
    done = await call.services.payouts.reject(call.actor, payout.id, why=reason, key=call.key)
    return Reply(title=f"Payout {done.id} of {done.amount} qoints is rejected", lines=(done.reason,))


@command("admin paid", role=Role.ADMIN)
async def paid(
    call: Call,
    payout: Annotated[Payout, ClaimRef("Which payout", PayoutState.APPROVED)],
    reference: Annotated[str, Text("What the transfer is called where you made it", rest=True)],
) -> Reply:
    """Say that you have transferred a payout."""
    done = await call.services.payouts.paid(call.actor, payout.id, reference=reference)
    return Reply(title=f"Payout {done.id} of {done.amount} qoints is paid", lines=(f"Reference: {done.reference}",))


@command("admin failed", role=Role.ADMIN, menu=False)
async def failed(
    call: Call, payout: Annotated[Payout, ClaimRef("Which payout", PayoutState.APPROVED)], reason: Why
) -> Reply:
    """Give back what could not be transferred, with words for its owner."""
    done = await call.services.payouts.failed(call.actor, payout.id, why=reason, key=call.key)
    return Reply(title=f"Payout {done.id} of {done.amount} qoints has failed", lines=(done.reason,))


def _progress(payout: Payout) -> str:
    said = payout.reason or payout.reference
    return f"{payout.state}: {said}" if said else payout.state.value


def _ways(payout: Payout) -> tuple[Button, ...]:
    match payout.state:
        case PayoutState.REQUESTED:
            return (_cancel(f"Call {payout.amount} back", payout),)
        case PayoutState.FAILED:
            return (Button(label=f"Ask for {payout.amount} again", command="payout again", arguments=_this(payout)),)
        case _:
            return ()


def _cancel(label: str, payout: Payout) -> Button:
    return Button(label=label, command="payout cancel", arguments=_this(payout))


def _this(payout: Payout) -> dict[str, str]:
    return {"payout": payout.id}
