"""Upload sessions: whatever anybody sends in whichever order, offsets, limits and times hold."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.artifact import Artifact
from core.domain.errors import BadValue, DomainError, FileTooLarge, UploadClosed, UploadFull, WrongOffset
from core.domain.upload import (
    FILES,
    FIRST_BYTE,
    LONGEST,
    NAME_LENGTH,
    PIECES,
    SLIDING,
    Upload,
    UploadFile,
    UploadState,
    file_name,
)
from tests.builders.entities import HOME, NOON

LIMIT = 20
Step = Callable[[Upload, datetime], Upload]

names = st.sampled_from(["a", "b", "c"])
sizes = st.integers(0, LIMIT + 1)


def an_upload(**facts: object) -> Upload:
    wished = {"id": "u1", "account": "ann", "dataset": "d1", "place": HOME, "limit": LIMIT, "created_at": NOON}
    return Upload.model_validate(wished | {"expires_at": NOON + FIRST_BYTE} | facts)


def a_piece(size: int = 1, content: str = "x") -> Artifact:
    return Artifact(name="a", sha256=content, size=size, media_type="")


def begun(name: str, size: int) -> Step:
    return lambda upload, now: upload.begun(UploadFile(name=name, size=size), now=now)


def received(name: str, size: int, offset: int) -> Step:
    return lambda upload, now: upload.received(name, a_piece(size), offset=offset, now=now)


def appended(name: str, size: int) -> Step:
    def step(upload: Upload, now: datetime) -> Upload:
        file = upload.file(name)
        return upload.received(name, a_piece(size), offset=file.offset if file else 0, now=now)

    return step


def restarted(name: str) -> Step:
    return lambda upload, _: upload.restarted(upload.file(name) or UploadFile(name=name, size=1))


def without(name: str) -> Step:
    return lambda upload, now: upload.without(name, now=now)


def confirmed(upload: Upload, now: datetime) -> Upload:
    return upload.confirmed("j1", now=now)


def abandoned(upload: Upload, now: datetime) -> Upload:
    return upload.abandoned(now=now)


steps = st.one_of(
    st.builds(begun, names, sizes),
    st.builds(appended, names, st.integers(1, LIMIT)),
    st.builds(received, names, st.integers(1, LIMIT), sizes),
    st.builds(restarted, names),
    st.builds(without, names),
    st.sampled_from([confirmed, abandoned]),
)


@given(st.lists(st.tuples(steps, st.timedeltas(timedelta(), timedelta(hours=2))), max_size=30))
def test_whatever_is_sent_offsets_limits_and_times_hold(sent: list[tuple[Step, timedelta]]) -> None:
    upload, now = an_upload(), NOON
    for step, pause in sent:
        now += pause / 8
        before = upload
        try:
            upload = step(upload, now)
        except DomainError:
            upload = before
        if before.state is not UploadState.OPEN:
            assert upload == before
        assert all(file.offset == sum(piece.size for piece in file.pieces) for file in upload.files)
        assert all(0 <= file.offset <= file.size for file in upload.files)
        assert sum(file.size for file in upload.files) <= LIMIT
        assert len({file.name for file in upload.files}) == len(upload.files)
        assert upload.expires_at <= upload.created_at + LONGEST
        assert (upload.job is None) == (upload.state is not UploadState.CONFIRMED)
        assert upload.state is UploadState.OPEN or upload.pieces == ()


def test_only_complete_files_are_handed_on() -> None:
    upload = begun("a", 3)(an_upload(), NOON)
    with pytest.raises(BadValue, match=r"«a» is not a valid file: it is not complete"):
        confirmed(upload, NOON)
    done = confirmed(appended("a", 3)(upload, NOON), NOON)

    assert (done.state, done.job, [file.name for file in done.files]) == (UploadState.CONFIRMED, "j1", ["a"])
    with pytest.raises(UploadClosed):
        confirmed(done, NOON)


def test_an_announcement_again_changes_nothing_and_another_is_refused_once_bytes_are_here() -> None:
    upload = an_upload().begun(UploadFile(name="a", size=3, sha256="f"), now=NOON)

    assert begun("a", 3)(upload, NOON) is upload
    assert begun("a", 4)(upload, NOON).files == (UploadFile(name="a", size=4),)
    started = appended("a", 1)(upload, NOON)
    with pytest.raises(BadValue, match="another file of this name is on its way"):
        begun("a", 4)(started, NOON)
    assert begun("a", 3)(started, NOON) is started


def test_a_piece_must_start_where_the_file_ends() -> None:
    upload = appended("a", 2)(begun("a", 3)(an_upload(), NOON), NOON)

    with pytest.raises(WrongOffset, match="has 2 bytes here"):
        received("a", 1, 0)(upload, NOON)
    with pytest.raises(WrongOffset, match="has 0 bytes here"):
        received("b", 1, 5)(upload, NOON)
    with pytest.raises(BadValue, match="more came than the 3 bytes"):
        received("a", 2, 2)(upload, NOON)


def test_too_much_is_refused_alone_and_together() -> None:
    with pytest.raises(FileTooLarge):
        begun("a", LIMIT + 1)(an_upload(), NOON)
    with pytest.raises(UploadFull):
        begun("b", 1)(begun("a", LIMIT)(an_upload(), NOON), NOON)
    with pytest.raises(BadValue, match="it is empty"):
        begun("a", 0)(an_upload(), NOON)


def test_a_row_takes_only_so_many_files_and_pieces() -> None:
    many = tuple(UploadFile(name=str(number), size=1) for number in range(FILES))
    with pytest.raises(BadValue, match="zip them"):
        begun("one more", 1)(an_upload(files=many, limit=2 * FILES), NOON)

    crumbs = UploadFile(name="a", size=PIECES + 1, pieces=(a_piece(),) * PIECES)
    with pytest.raises(BadValue, match="too many small pieces"):
        appended("a", 1)(an_upload(files=(crumbs,), limit=2 * PIECES), NOON)


def test_the_first_byte_has_an_hour_and_every_piece_gives_another() -> None:
    upload = begun("a", 3)(an_upload(), NOON)
    late = NOON + FIRST_BYTE

    assert upload.expires_at == late
    with pytest.raises(UploadClosed):
        appended("a", 1)(upload, late)
    almost = late - timedelta(milliseconds=1)
    assert appended("a", 1)(upload, almost).expires_at == almost + SLIDING


def test_only_what_is_stale_is_abandoned() -> None:
    upload = appended("a", 3)(begun("a", 3)(an_upload(), NOON), NOON)
    stale = abandoned(upload, NOON + SLIDING)

    assert abandoned(upload, NOON) is upload
    assert (stale.state, stale.pieces) == (UploadState.ABANDONED, ())
    assert abandoned(stale, NOON + SLIDING) is stale


def test_only_the_file_that_was_looked_at_starts_again() -> None:
    upload = appended("a", 3)(begun("a", 3)(an_upload(), NOON), NOON)
    [file] = upload.files

    assert upload.restarted(file).pieces == ()
    assert upload.restarted(file.but(sha256="another")) is upload


@pytest.mark.parametrize("name", ["a.png", "é «ü» 👩‍🚀.zip", "Screenshot 10.00\u202fAM.png", ".x", "x" * NAME_LENGTH])
def test_names_of_real_files_are_kept_as_they_are(name: str) -> None:
    assert file_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "a\\b", "a\nb", "\x00", "\ud800", "a\u2028b", "x" * (NAME_LENGTH + 1)]
)
def test_names_that_would_do_harm_are_refused_in_words_that_do_none(name: str) -> None:
    with pytest.raises(BadValue, match="rename it") as refused:
        file_name(name)

    assert str(refused.value).isprintable()


@given(st.text())
def test_any_text_is_kept_or_refused(text: str) -> None:
    with suppress(BadValue):
        assert file_name(text) == text
