"""Consent for datasets: how it stands, to attest, to withdraw."""

from datetime import datetime

from core.domain.consent import RIGHTS, WORDS
from core.domain.errors import NotAdult, NotAttested, NothingToDo, Suspended
from core.domain.item import Item
from core.services.consents import Consent
from web.api.datasets import visible
from web.api.route import Body, Out, route
from web.visiting import Asked


class DescendantOut(Out):
    """A training that has used a dataset, the model that came of it, and how often others have used that."""

    job: str
    model: str | None
    uses: int


class ConsentOut(Out):
    """Who has attested in which words, what was withdrawn, what was made of it; and the words to attest to now."""

    attested_by: str
    attested_at: datetime | None
    words: str
    revoked_at: datetime | None
    withdrawn: tuple[str, ...]
    descendants: tuple[DescendantOut, ...]
    version: str
    attest: str


class AttestIn(Body):
    """Your word, by the `version` of the words; for one picture that was withdrawn, or for all of a dataset."""

    version: str
    image: str | None = None


class WithdrawIn(Body):
    """One picture, or all of a dataset."""

    image: str | None = None


@route("GET", "/datasets/{dataset}/consent", errors=(NotAdult,))
async def view(asked: Asked, dataset: str) -> ConsentOut:
    """Show how it stands with the consent for a dataset."""
    await visible(asked, dataset)
    return _shown(await asked.services.consents.view(asked.actor, dataset))


@route("POST", "/datasets/{dataset}/consent", idempotent=True, errors=(NotAttested, Suspended))
async def attest(asked: Asked, dataset: str, body: AttestIn) -> ConsentOut:
    """Attest that a dataset may be trained on, in the words that were shown."""
    item = await _item(asked, dataset, body.image)
    await asked.services.consents.attest(asked.actor, dataset, item, words=body.version, key=asked.key)
    return _shown(await asked.services.consents.view(asked.actor, dataset))


@route("POST", "/datasets/{dataset}/consent/withdraw", idempotent=True, errors=(NothingToDo,))
async def withdraw(asked: Asked, dataset: str, body: WithdrawIn) -> ConsentOut:
    """Take consent back: trainings that go on are cancelled and paid back, and nobody can use the models."""
    item = await _item(asked, dataset, body.image)
    await asked.services.consents.withdraw(asked.actor, dataset, item, key=asked.key)
    return _shown(await asked.services.consents.view(asked.actor, dataset))


async def _item(asked: Asked, dataset: str, image: str | None) -> Item | None:
    return await asked.services.items.view(asked.actor, dataset, image) if image else None


def _shown(consent: Consent) -> ConsentOut:
    given = consent.dataset.attestation
    return ConsentOut(
        attested_by=consent.attested_by,
        attested_at=given.at if given else None,
        words=consent.words,
        revoked_at=consent.dataset.revoked_at,
        withdrawn=tuple(item.id for item in consent.withdrawn),
        descendants=tuple(
            DescendantOut(job=one.run.id, model=one.model.id if one.model else None, uses=one.uses)
            for one in consent.descendants
        ),
        version=RIGHTS,
        attest=WORDS[RIGHTS],
    )
