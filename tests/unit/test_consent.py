"""Consent and reports as states of datasets, models and accounts."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import FORGOTTEN, Account, Role
from core.domain.consent import ADULT, GROWN, RIGHTS, WORDS
from core.domain.dataset import Status
from core.domain.errors import BadValue, ConsentWithdrawn, NotAttested, NothingToDo, NotPublished, Suspended
from core.domain.model import Model, Visibility
from core.domain.readiness import require_attested, require_ready
from core.domain.report import LENGTH, Report, ReportedKind, ReportState, reason, report_id
from core.domain.snapshot import taken
from tests.builders.entities import HOME, NOON, a_dataset, a_model, an_actor, an_item

LATER = NOON + timedelta(days=1)


def an_account(**facts: object) -> Account:
    return Account(id="ann", name="Ann", role=Role.MODERATOR, home=HOME, created_at=NOON).but(**facts)


def test_the_words_that_are_asked_for_are_known() -> None:
    assert {RIGHTS, ADULT, GROWN} <= WORDS.keys()


def test_a_dataset_is_trained_on_while_consent_is_given_and_nobody_has_reported_it() -> None:
    ready = a_dataset(status=Status.READY, count=3)
    with pytest.raises(NotAttested):
        require_attested(ready)
    with pytest.raises(NotAttested):
        ready.attested("rights-0", by="ann", now=NOON)
    attested = ready.attested(RIGHTS, by="ann", now=NOON)
    require_attested(attested)
    require_ready(attested)
    revoked = attested.revoked(now=NOON).revoked(now=LATER)
    with pytest.raises(ConsentWithdrawn):
        require_ready(revoked)
    reported = attested.suspended_by("r1").suspended_by("r2")
    with pytest.raises(Suspended):
        require_ready(reported)
    with pytest.raises(Suspended):
        reported.attested(RIGHTS, by="ann", now=NOON)

    assert (revoked.revoked_at, revoked.attested(RIGHTS, by="ann", now=LATER).revoked_at) == (NOON, None)
    assert (reported.suspended, reported.freed()) == ("r1", attested)


def test_what_was_withdrawn_is_in_no_snapshot() -> None:
    items = [an_item(0), an_item(1, withdrawn_at=NOON), an_item(2)]

    assert [entry.item for entry in taken(a_dataset(), items, now=NOON).entries] == ["i0", "i2"]


def test_a_model_without_consent_is_nobodys_and_its_owner_and_moderators_see_it() -> None:
    public = a_model(visibility=Visibility.PUBLIC, shared=("bob",))
    barred = public.barred("d1").barred("i1")
    with pytest.raises(ConsentWithdrawn):
        barred.shown_as(Visibility.PUBLIC, now=NOON)
    back = barred.unbarred("d1").unbarred("i1")

    assert not any(barred.usable_by(account) for account in ("ann", "bob", "cid"))
    assert not barred.unbarred("d1").usable
    assert [barred.visible_to(an_actor(name)) for name in ("ann", "bob")] == [True, False]
    assert barred.visible_to(an_actor("mod", role=Role.MODERATOR))
    assert (barred.listed, barred.standing) == (False, "consent withdrawn")
    assert (back.usable, back.visibility) == (True, Visibility.PRIVATE)
    assert back.shown_as(Visibility.PUBLIC, now=NOON).listed


ACTS: Mapping[str, Callable[[Model], Model]] = {
    "suspended": lambda model: model.suspended_by("r1"),
    "freed": lambda model: model.freed(),
    "barred": lambda model: model.barred("d1"),
    "unbarred": lambda model: model.unbarred("d1"),
    "deleted": lambda model: model.deleted(now=NOON),
    "published": lambda model: model.shown_as(Visibility.PUBLIC, now=NOON),
    "unpublished": lambda model: model.shown_as(Visibility.PRIVATE, now=NOON),
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_a_model_that_nobody_may_use_is_never_listed(acts: list[str]) -> None:
    model = a_model(visibility=Visibility.PUBLIC)
    for act in acts:
        with suppress(Suspended, ConsentWithdrawn, NotPublished):
            model = ACTS[act](model)
        assert model.usable or not (model.listed or model.usable_by("ann"))
    free = model.freed().unbarred("d1")

    assert free.usable or free.deleted_at


def test_a_model_that_was_reported_becomes_again_what_it_was() -> None:
    public = a_model(visibility=Visibility.PUBLIC, published_at=NOON)
    reported = public.suspended_by("r1").suspended_by("r2")

    assert (reported.suspended, reported.listed, reported.standing) == ("r1", False, "suspended")
    assert reported.freed() == public
    assert reported.barred("d1").freed().unbarred("d1").visibility is Visibility.PRIVATE


def test_a_forgotten_account_says_nothing_of_anybody() -> None:
    merged = an_account(merged_into="bob", banned="rude", related=("cid",)).verified(by="mod", now=NOON)
    gone = merged.forgotten(now=NOON).forgotten(now=LATER)
    kept = {"id": "ann", "created_at": NOON, "merged_into": "bob", "forgotten_at": NOON}
    words = {"name": FORGOTTEN, "role": Role.VIEWER, "banned": "this account was forgotten"}

    assert gone == Account(**kept, **words, home=gone.home)
    assert gone.home.chat == FORGOTTEN
    assert merged.verified(by=None, now=NOON).adult is None


def test_a_forgotten_model_says_nothing_but_what_it_was_made_with() -> None:
    gone = a_model(description="of Ann", tags=("ann",), shared=("bob",)).forgotten(now=NOON)

    assert (gone.name, gone.trigger, gone.description, gone.tags, gone.shared) == ("forgotten/m1", "m1", "", (), ())
    assert gone.deleted_at == NOON


def test_a_report_is_decided_once() -> None:
    facts = {"id": "r1", "reporter": "bob", "kind": ReportedKind.MODEL, "thing": "m1", "name": "x", "owner": "ann"}
    opened = Report(**facts, why="me", at=NOON)
    upheld = opened.decided(ReportState.UPHELD, by="mod", now=LATER)

    assert (upheld.state, upheld.decided_by, upheld.decided_at) == (ReportState.UPHELD, "mod", LATER)
    with pytest.raises(NothingToDo, match="upheld already"):
        upheld.decided(ReportState.DISMISSED, by="mod", now=LATER)


def test_a_report_has_a_reason_and_a_name_that_gives_nobody_away() -> None:
    assert reason(" that\n is me ") == "that is me"
    for text in ("", " ", "x" * (LENGTH + 1)):
        with pytest.raises(BadValue):
            reason(text)
    assert len({report_id("bob", "m1"), report_id("bob", "m2"), report_id("ann", "m1"), report_id("bob", "m1")}) == 3
