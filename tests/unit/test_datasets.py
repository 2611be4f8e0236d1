from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Role
from core.domain.dataset import NAME_LENGTH, Finding, Severity, Statistics, Status, dataset_name
from core.domain.doctor import NEAR, SHOWN, SMALL, examined, recaptioned, reexamined
from core.domain.errors import BadValue, DatasetEmpty, DatasetNotReady
from core.domain.snapshot import taken
from tests.builders.entities import NOON, a_caption, a_dataset, an_actor, an_artifact, an_item

LATER = NOON + timedelta(hours=1)


def blocking(*, blocks: bool) -> tuple[Finding, ...]:
    return (Finding(code="x", severity=Severity.ERROR if blocks else Severity.WARNING, words="…"),)


def test_new_items_make_a_draft_and_void_the_date_of_the_rest() -> None:
    received = a_dataset(status=Status.READY, count=2, bytes=10).received(count=3, bytes=5, now=LATER)

    assert (received.status, received.count, received.bytes) == (Status.DRAFT, 5, 15)
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
        dataset.require_ready()
        return

    with pytest.raises(DatasetNotReady) as refused:
        dataset.require_ready()

    assert str(refused.value).startswith(f"Dataset «zorp» is {status.value}. ")
    assert refused.value.todo


def test_an_empty_dataset_is_told_apart_from_an_unchecked_one() -> None:
    with pytest.raises(DatasetEmpty):
        a_dataset(status=Status.READY).require_ready()


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


def test_the_doctor_has_nothing_to_say_about_good_pictures() -> None:
    items = [an_item(number, caption=a_caption(f"zorp, picture {number}")) for number in range(4)]

    findings, statistics = examined(a_dataset(), items)

    assert findings == ()
    assert statistics == Statistics(items=4, bytes=400, captioned=4, smallest=(512, 512), largest=(512, 512))


def test_the_doctor_finds_what_is_wrong() -> None:
    good = a_caption("zorp on white")
    items = [
        an_item(0, caption=good),
        an_item(1, caption=good, artifact=an_artifact("copy.png", sha256="sha of 0.png"), phash=an_item(0).phash),
        an_item(2, caption=good, phash=f"{int(an_item(0).phash, 16) ^ 0b111:016x}"),
        an_item(3, width=SMALL - 1, caption=good),
        an_item(4, sharpness=1.0, phash="00ff00ff00ff00ff", caption=a_caption("a red star")),
        an_item(5, phash="0f0f0f0f0f0f0f0f"),
    ]

    findings, statistics = examined(a_dataset(), items, unreadable=["i5"])

    assert {finding.code: (finding.severity, finding.items) for finding in findings} == {
        "unreadable": (Severity.ERROR, ("i5",)),
        "exact_duplicates": (Severity.WARNING, ("i1",)),
        "near_duplicates": (Severity.WARNING, ("i0", "i2", "i1")),
        "small": (Severity.WARNING, ("i3",)),
        "blurred": (Severity.WARNING, ("i4",)),
        "uncaptioned": (Severity.WARNING, ("i5",)),
        "triggerless": (Severity.WARNING, ("i4",)),
    }
    assert (statistics.items, statistics.captioned, statistics.smallest) == (6, 5, (SMALL - 1, 512))


def test_a_finding_names_some_pictures_and_counts_the_rest() -> None:
    findings, _ = examined(a_dataset(), [an_item(n, width=10, artifact=an_artifact(f"{n}.png")) for n in range(8)])
    small = next(finding for finding in findings if finding.code == "small")

    assert small.words.startswith(f"Smaller than {SMALL} px: 0.png, 1.png, 2.png, 3.png, 4.png and {8 - SHOWN} more.")
    assert len(small.items) == 8


def test_a_look_at_no_items_leaves_a_draft() -> None:
    assert reexamined(a_dataset(status=Status.UPLOADING), [], now=LATER).status is Status.DRAFT


def test_a_look_without_reading_the_bytes_does_not_forget_what_could_not_be_read() -> None:
    items = [an_item(0), an_item(1)]
    broken = reexamined(a_dataset(count=2), items, unreadable=["i1"], now=NOON)
    captioned = [item.but(caption=a_caption("zorp")) for item in items]

    again = reexamined(broken, captioned, now=LATER)
    mended = reexamined(again, captioned, unreadable=[], now=LATER)

    assert (again.status, mended.status) == (Status.ERROR, Status.READY)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.UPLOADING, Status.UPLOADING),
        (Status.VALIDATING, Status.VALIDATING),
        (Status.DRAFT, Status.READY),
        (Status.READY, Status.READY),
    ],
)
def test_captions_that_change_meanwhile_do_not_end_an_upload_or_a_validation(before: Status, after: Status) -> None:
    captioned = recaptioned(a_dataset(status=before, count=1), [an_item(caption=a_caption("zorp"))], now=LATER)

    assert (captioned.status, captioned.statistics.captioned) == (after, 1)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63)))
def test_pictures_whose_hashes_differ_in_few_bits_look_alike(one: int, flipped: set[int]) -> None:
    other = one ^ sum(1 << bit for bit in flipped)
    items = [an_item(0, phash=f"{one:016x}"), an_item(1, phash=f"{other:016x}")]

    findings, _ = examined(a_dataset(), items)

    assert ("near_duplicates" in {finding.code for finding in findings}) is (len(flipped) <= NEAR)


@given(st.permutations(range(5)))
def test_a_snapshot_does_not_depend_on_the_order_in_which_items_are_read(order: list[int]) -> None:
    items = [an_item(number, caption=a_caption(f"zorp {number}", item=f"i{number}")) for number in range(5)]

    shuffled = taken(a_dataset(), [items[number] for number in order], now=NOON)

    assert shuffled == taken(a_dataset(), items, now=NOON)
    assert [entry.item for entry in shuffled.entries] == ["i0", "i1", "i2", "i3", "i4"]


def test_a_snapshot_is_another_when_anything_that_is_trained_on_changes() -> None:
    base = [an_item(0, caption=a_caption("zorp")), an_item(1)]
    variants = [
        (a_dataset(), base),
        (a_dataset(trigger="blip"), base),
        (a_dataset(id="d2"), base),
        (a_dataset(), base[:1]),
        (a_dataset(), [base[0].but(caption=a_caption("zorp, red")), base[1]]),
        (a_dataset(), [base[0].but(caption=a_caption("zorp", version=2)), base[1]]),
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
