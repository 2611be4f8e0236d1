"""Linking: one person, many logins. A code proves that both sides are the same person's; the issuing side confirms."""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from core.domain.account import Account, Actor, Place, Role
from core.domain.allowance import Limit
from core.domain.errors import CannotMerge
from core.domain.ledger import REVENUE, Act, Balance, Lot, Transaction, between, books, earnings
from core.domain.value import Entity

CODE_LENGTH = 8
VALID_FOR = timedelta(minutes=10)
ASKED_FOR = timedelta(hours=1)  # so long may the issuing side think, or mend what is in the way
ATTEMPTS = Limit(times=5, per=timedelta(hours=1))
PURPOSE = "link"


class LinkCode(Entity):
    """A code that was given to somebody; the id is its hash, so that the database never holds one. Redeemed once.

    `role` is what its issuer was then: linking gives nobody a role that they had not.
    """

    account: str
    role: Role = Role.USER
    place: Place
    expires_at: datetime

    def require_joining(self, actor: Actor) -> None:
        """Let somebody pass whom the issuer may take over.

        Raises:
            CannotMerge: It is the issuer, or somebody of a higher role.
        """
        if actor.account == self.account:
            raise CannotMerge(why="this code is your own. Use it where you are somebody else so far.")
        if not self.role.covers(actor.role):
            raise CannotMerge(why=f"here you are {actor.role}, there {self.role}. Get a code here, and use it there.")


class LinkRequest(Entity):
    """Somebody redeemed a code: `joining` wants to become one with `account`, who has yet to confirm.

    `place` is where the code was issued and the question is put, `joining_place` where it was redeemed.
    """

    account: str
    place: Place
    joining: str
    joining_name: str
    joining_place: Place
    confirmed: bool = False
    created_at: datetime
    expires_at: datetime


def shown(code: str) -> str:
    """A code as people read it: `ABCD-EFGH`."""
    half = CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}".upper()


def code_hash(code: str) -> str:
    """The name under which a code is kept: sha256 in hex, purpose-bound, deaf to case, blanks and dashes."""
    bare = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(f"{PURPOSE}:{bare}".encode()).hexdigest()


def require_apart(what: str, one: Collection[str], other: Collection[str], *, whose: str = "one of them") -> None:
    """Let two people's names of one kind of thing pass that have none in common.

    Raises:
        CannotMerge: They have; the words name them, and say whose has to give way.
    """
    if both := sorted(set(one) & set(other)):
        names = ", ".join(f"«{name}»" for name in both[:5])
        raise CannotMerge(why=f"both have a {what} {names}. Delete or rename {whose} first.")


def merged(account: Account, joining: Account, *, now: datetime) -> tuple[Account, Account]:
    """The account that stays, with the higher role of both and whoever is related to either, and the one it took over.

    Raises:
        CannotMerge: One of them is banned.
    """
    if account.banned is not None or joining.banned is not None:
        raise CannotMerge(why="one of them is banned.")
    role = account.role if account.role.covers(joining.role) else joining.role
    related = tuple(sorted({*account.related, *joining.related} - {account.id, joining.id}))
    staying = account.but(role=role, merged_at=now, related=related, adult=account.adult or joining.adult)
    return staying, joining.but(merged_into=account.id, related=())


def merge(rows: Iterable[Balance], *, rounding: int, old: str, new: str, why: str, now: datetime) -> Transaction:
    """Move everything that an account has into the same books and lots of the one that takes it over; it happens once.

    `rounding` is the whole qoints that come together from the hundredths which both had left.
    """
    names = dict(zip(books(old), books(new), strict=True))
    brought = [entry for row in rows for entry in between(row.id, names[row.id], row.lots)]
    entries = (*brought, *between(REVENUE, earnings(new), {Lot.PURCHASED: rounding}))
    return Transaction(id=f"merge:{old}", act=Act.MERGE, owner=new, why=why, entries=entries, at=now)
