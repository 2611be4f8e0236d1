from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Role
from core.domain.dataset import NAME_LENGTH, Kind, Status, dataset_name
from core.domain.errors import BadValue, DatasetEmpty, DatasetNotReady
from core.domain.finding import Finding, Severity, Statistics
from core.domain.item import Item
from core.domain.readiness import require_ready
from core.domain.snapshot import taken
from tests.builders.entities import NOON, a_caption, a_dataset, an_actor, an_artifact, an_item

LATER = NOON + timedelta(hours=1)


def captioned(item: Item, text: str, *, version: int = 1) -> Item:
    return item.captioned(a_caption(text, item=item.id, version=version))


def blocking(*, blocks: bool) -> tuple[Finding, ...]:
    return (Finding(code="x", severity=Severity.ERROR if blocks else Severity.WARNING, words="…"),)


def test_new_items_make_a_draft_and_void_the_date_of_the_rest() -> None:
    received = a_dataset(status=Status.READY, count=2, bytes=10, revision=1).received(
        Kind.IMAGES, count=3, bytes=5, now=LATER
    )

    assert (received.status, received.count, received.bytes, received.revision) == (Status.DRAFT, 5, 15, 2)
    assert received.updated_at == LATER


@pytest.mark.parametrize(("blocks", "status"), [(True, Status.ERROR), (False, Status.READY)])
def test_a_finding_that_blocks_makes_an_error(*, blocks: bool, status: Status) -> None:
    checked = a_dataset(count=1).validating(now=NOON).checked(blocking(blocks=blocks), Statistics(), now=LATER)

    assert (checked.status, checked.validated_at) == (status, LATER)


def test_there_must_be_something_to_look_at() -> None:
    with pytest.raises(DatasetEmpty):
        a_dataset().validating(now=NOON)


@pytest.mark.parametrize("status", list(Status))
def test_only_a_ready_dataset_can_be_ordered_and_the_words_say_what_to_do(status: Status) -> None:
    dataset = a_dataset(status=status, count=3)
    if status is Status.READY:
        require_ready(dataset)
        return

    with pytest.raises(DatasetNotReady) as refused:
        require_ready(dataset)

    assert str(refused.value).startswith(f"Dataset «zorp» is {status.value}. ")
    assert refused.value.todo


def test_an_empty_dataset_is_told_apart_from_an_unchecked_one() -> None:
    with pytest.raises(DatasetEmpty):
        require_ready(a_dataset(status=Status.READY))


@pytest.mark.parametrize(
    ("account", "role", "sees"), [("ann", Role.USER, True), ("bob", Role.USER, False), ("bob", Role.MODERATOR, True)]
)
def test_the_owner_and_moderators_see_a_dataset(account: str, role: Role, *, sees: bool) -> None:
    assert a_dataset().visible_to(an_actor(account, role=role)) is sees


@given(st.text(max_size=80))
def test_a_name_is_one_line_of_printable_characters_or_refused(text: str) -> None:
    try:
        name = dataset_name(text)
    except BadValue:
        return
    assert 1 <= len(name) <= NAME_LENGTH
    assert name.isprintable()
    assert name == dataset_name(name)


@given(st.permutations(range(5)))
def test_a_snapshot_does_not_depend_on_the_order_in_which_items_are_read(order: list[int]) -> None:
    items = [captioned(an_item(number), f"zorp {number}") for number in range(5)]

    shuffled = taken(a_dataset(), [items[number] for number in order], now=NOON)

    assert shuffled == taken(a_dataset(), items, now=NOON)
    assert [entry.item for entry in shuffled.entries] == ["i0", "i1", "i2", "i3", "i4"]


def test_a_snapshot_is_another_when_anything_that_is_trained_on_changes() -> None:
    base = [captioned(an_item(0), "zorp"), an_item(1)]
    variants = [
        (a_dataset(), base),
        (a_dataset(trigger="blip"), base),
        (a_dataset(id="d2"), base),
        (a_dataset(), base[:1]),
        (a_dataset(), [captioned(an_item(0), "zorp, red"), base[1]]),
        (a_dataset(), [captioned(an_item(0), "zorp", version=2), base[1]]),
        (a_dataset(), [base[0], an_item(1, artifact=an_artifact("1.png", sha256="other"))]),
    ]

    names = {taken(dataset, items, now=NOON).id for dataset, items in variants}

    assert len(names) == len(variants)


def test_the_moment_and_the_doctors_words_do_not_change_a_snapshot() -> None:
    ready = a_dataset(count=1, status=Status.READY, findings=blocking(blocks=False))

    assert taken(ready, [an_item()], now=LATER).id == taken(a_dataset(), [an_item()], now=NOON).id


def test_a_picture_without_a_caption_is_trained_as_the_trigger_word() -> None:
    (entry,) = taken(a_dataset(), [an_item()], now=NOON).entries

    assert (entry.caption, entry.caption_version) == ("zorp", 0)
