"""People, as others name them: by an id, a login, or the name that they go by."""

from core.domain.account import Account
from core.domain.errors import Ambiguous, NotFound
from core.domain.trigger import folded
from core.services import Services


async def person(services: Services, name: str) -> Account:
    """The account of an id, a login such as `discord:1234`, or a name that one knows: nobody is listed.

    Raises:
        NotFound: Nobody is called so.
        Ambiguous: Several are.
    """
    known = await services.accounts.known(name)
    named = [one for one in await services.accounts.named(name) if folded(one.name) == folded(name)]
    people = [known] if known else named
    if not people:
        raise NotFound(noun="user", name=name, hint="Name somebody who has spoken to the bot once.")
    if len(people) > 1:
        raise Ambiguous(noun="user", name=name, candidates=", ".join(one.id for one in people))
    return people[0]
