from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.job import Progress
from core.domain.log import LINES, Line, written
from tests.builders.entities import NOON, a_job


@given(st.lists(st.tuples(st.sampled_from(("training", "sampling", "handed back")), st.integers(1, 3)), max_size=300))
def test_the_last_lines_are_kept_and_none_twice_in_a_row(said: list[tuple[str, int]]) -> None:
    log: tuple[Line, ...] = ()
    for number, (words, attempt) in enumerate(said):
        log = written(log, words, attempt=attempt, now=NOON + timedelta(seconds=number))

    kept = [(line.words, line.attempt) for line in log]
    expected = [one for number, one in enumerate(said) if number == 0 or one != said[number - 1]][-LINES:]
    assert kept == expected
    assert [line.at for line in log] == sorted(line.at for line in log)


def test_a_job_tells_what_happened_to_it() -> None:
    first = a_job().claimed(worker="one", token="t", now=NOON)
    working = first.reported(now=NOON, progress=Progress(step=1, total=9, doing="training"))
    again = working.released(now=NOON).claimed(worker="two", token="u", now=NOON)
    done = again.succeeded({}, now=NOON)

    assert [line.words for line in done.log] == [
        "worker one takes it",
        "training",
        "handed back",
        "worker two takes it",
        "succeeded",
    ]
