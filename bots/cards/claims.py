"""Claims as admins see them: what waits, what would happen if all of it were done now, what can be done with one."""

from collections import Counter
from collections.abc import Sequence

from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.action import Style, Then
from core.domain.claim import Claim
from core.domain.payout import PayoutState

BATCH = 25  # payouts that one button approves
SHOWN = 8  # payouts that have a button each
TODO = {PayoutState.REQUESTED: ("To approve", "approved"), PayoutState.APPROVED: ("To pay", "paid")}


def overview(claims: Sequence[Claim], state: PayoutState) -> Reply:
    """Payouts in one state, and what can be done with those that are open."""
    rows = tuple((one.payout.id, f"{one.owner}: {one.payout.amount}", _standing(one)) for one in claims)
    total = sum(one.payout.amount for one in claims)
    others = (other for other in TODO if other is not state)
    lists = (
        Button(label=TODO[other][0], command="admin payouts", arguments={"state": other.value}) for other in others
    )
    if not rows:
        return Reply(title=f"No payout is {state}", buttons=tuple(lists))
    return Reply(
        title=f"{number(len(claims), 'payout')} {state}: {total} qoints",
        lines=_preview(claims, state),
        table=Table(header=("payout", "whose", "state"), rows=rows),
        buttons=(*_batch(claims, state), *map(_look, claims[:SHOWN] if state.open else ()), *lists),
    )


def closely(claim: Claim) -> Reply:
    """One payout, with where it goes."""
    payout = claim.payout
    facts = (
        ("to", payout.to),
        ("requested", f"{payout.requested_at:%d %b %Y, %H:%M}"),
        ("approved by", claim.approver),
        ("paid by", claim.payer),
        ("reference", payout.reference),
        ("reason", payout.reason),
    )
    return Reply(
        title=named(claim),
        lines=(_standing(claim),),
        fields=tuple((name, value) for name, value in facts if value),
        buttons=_decisions(claim),
    )


def named(claim: Claim) -> str:
    """What a payout is called among others."""
    return f"{claim.owner}: {claim.payout.amount} qoints ({claim.payout.id})"


def _standing(claim: Claim) -> str:
    """How old it is, what it takes, and what hinders whoever looks."""
    state = claim.payout.state
    age = f"{number(claim.days, 'day')} ago" if claim.days else "today"
    hindrance = claim.hindrance or ("It takes two admins." if claim.four_eyes else "")
    return f"{state} {age}. {hindrance}" if state.open and hindrance else f"{state} {age}"


def _preview(claims: Sequence[Claim], state: PayoutState) -> tuple[str, ...]:
    """What would be done if everything that this admin can do were done now, and for whom."""
    if not state.open:
        return ()
    sums: Counter[str] = Counter()
    for one in (ready := _ready(claims)):
        sums[one.owner] += one.payout.amount
    blocked = len(claims) - len(ready)
    todo = f"can be {TODO[state][1]} by you now"
    if not ready:
        return (f"None {todo}: the table says why.",)
    return (
        f"{number(len(ready), 'payout')} {todo}: {number(sums.total(), 'qoint')}.",
        ", ".join(f"{owner} {amount}" for owner, amount in sums.items()),
        *([f"{number(blocked, 'payout')} cannot: the table says why."] if blocked else []),
    )


def _ready(claims: Sequence[Claim]) -> Sequence[Claim]:
    return [one for one in claims if not one.hindrance]


def _batch(claims: Sequence[Claim], state: PayoutState) -> tuple[Button, ...]:
    """Approval of what was seen: the button carries the ids."""
    ready = [one.payout for one in _ready(claims)][:BATCH]
    if not ready or state is not PayoutState.REQUESTED:
        return ()
    label = f"Approve {len(ready)}: {sum(one.amount for one in ready)} qoints"
    ids = {"payouts": " ".join(one.id for one in ready)}
    return (Button(label=label, command="admin approve", arguments=ids, style=Style.GO, then=Then.REPLACE),)


def _look(claim: Claim) -> Button:
    return Button(label=named(claim), command="admin payout", arguments={"payout": claim.payout.id})


def _decisions(claim: Claim) -> tuple[Button, ...]:
    this = {"payout": claim.payout.id}
    match claim.payout.state:
        case PayoutState.REQUESTED:
            ids = {"payouts": claim.payout.id}
            return (
                Button(label="Approve", command="admin approve", arguments=ids, style=Style.GO, then=Then.REPLACE),
                Button(label="Reject", command="admin reject", arguments=this, style=Style.DANGER),
            )
        case PayoutState.APPROVED:
            return (
                Button(label="It is paid", command="admin paid", arguments=this, style=Style.GO),
                Button(label="It failed", command="admin failed", arguments=this, style=Style.DANGER),
            )
        case _:
            return ()
