"""Sharings: who may use a dataset besides its owner."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, Raw, Row
from bots.chat.references import DatasetRef
from bots.chat.reply import Reply
from bots.commands.datasets import Ref
from bots.commands.publications import PersonRef
from core.domain.account import Account
from core.domain.dataset import Access
from core.domain.errors import NotFound
from core.domain.trigger import folded

MEANS = {
    Access.PRIVATE: "Only you can use it, and those whom you share it with.",
    Access.UNLISTED: "Who knows its id can look at it and train on it: `dataset view {id}`.",
    Access.PUBLIC: "Everyone finds it in `dataset list scope=public`, and can look at it and train on it.",
}


class Whom(Listed[Account | Access]):
    """Everyone to a degree, or one person whose name or login one knows."""

    noun = "user"
    hint = "Say private, unlisted or public, or name somebody who has spoken to the bot once."

    async def rows(
        self, call: Call, text: str, given: Given, *, after: str, limit: int
    ) -> Sequence[Row[Account | Access]]:
        """The degrees: who is here is nobody's business."""
        return [Row(value=one.value, label=one.value, thing=one) for one in Access]

    async def parse(self, call: Call, raw: Raw, given: Given) -> Account | Access:
        """The degree, or the account.

        Raises:
            NotFound: Nobody is called so.
            Ambiguous: Several are.
        """
        degrees = {one.value: one for one in Access}
        said = folded(raw) if isinstance(raw, str) else ""
        try:
            return degrees.get(said) or await PersonRef("").parse(call, raw, given)
        except NotFound as unknown:
            raise NotFound(noun=self.noun, name=unknown.name, hint=self.hint) from None


class ReaderRef(Listed[Account]):
    """Somebody whom the dataset that was named before is shared with."""

    noun = "user"
    hint = "The dataset is not shared with anybody called so."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Account]]:
        """Those whom it is shared with."""
        dataset = await DatasetRef("").earlier(call, given, "dataset")
        readers = await call.services.sharings.readers(call.actor, dataset.id) if dataset else []
        return [Row(value=account.id, label=account.name, thing=account) for account in readers]


@command("dataset share")
async def share(
    call: Call, dataset: Ref, whom: Annotated[Account | Access, Whom("private, unlisted, public, or somebody's name")]
) -> Reply:
    """Let somebody look at a dataset and train on it, or everyone; or keep it to yourself again."""
    if isinstance(whom, Access):
        opened = await call.services.sharings.open(call.actor, dataset.id, whom)
        return Reply(title=f"«{opened.name}» is {whom.value}", lines=(MEANS[whom].format(id=opened.id),))
    shared = await call.services.sharings.share(call.actor, dataset.id, whom)
    return Reply(
        title=f"«{shared.name}» is shared with {whom.name}",
        lines=(f"They can look at it and train on it: `dataset view {shared.id}`.",),
    )


@command("dataset unshare")
async def unshare(
    call: Call, dataset: Ref, user: Annotated[Account, ReaderRef("Who may not use it any more")]
) -> Reply:
    """Take a dataset back from somebody whom you share it with."""
    kept_back = await call.services.sharings.unshare(call.actor, dataset.id, user)
    return Reply(title=f"«{kept_back.name}» is not shared with {user.name} any more")
