"""Webhooks without a database: who signs how, when it is tried again, and where nothing is sent."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.address import receiver
from core.domain.errors import BadValue, NothingToDo
from core.domain.event import Event, EventType, ended, looked_at, published, stepped
from core.domain.job import Failure, JobState
from core.domain.payout import Payout, PayoutState
from core.domain.webhook import (
    JITTER,
    LATEST,
    LEASE,
    LENGTH,
    OVERLAP,
    PATIENCE,
    PREFIX,
    SECRETS,
    WAITS,
    Answer,
    Post,
    PostState,
    Secret,
    headers,
    noted,
    posted,
    shown,
    signature,
    trial,
    wait,
)
from tests.builders.entities import NOON, a_dataset, a_job, a_model, a_post, a_webhook

KEYS = {"new": b"n" * 32, "old": b"o" * 32}
BROKEN, FINE, GONE = Answer(status=500), Answer(status=204), Answer(status=410)
EXAMPLE = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SECOND = timedelta(seconds=1)


def test_the_published_example_has_the_published_signature() -> None:
    """The example that the libraries of Standard Webhooks are trial with."""
    body = b'{"test": 2432232314}'

    signed = signature(EXAMPLE, name="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_the_manual_tells_receivers_verifies_what_is_sent() -> None:
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    manual: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0], manual)
    now, secrets = datetime.now(UTC), (b"a" * 32, b"b" * 32)
    sent = dict(headers("msg_1", b"{}", secrets, now=now))

    assert [manual["verified"](shown(one), sent, b"{}") for one in (*secrets, b"c" * 32)] == [True, True, False]
    assert not manual["verified"](shown(secrets[0]), sent, b"{ }")
    assert not manual["verified"](shown(secrets[0]), dict(headers("msg_1", b"{}", secrets, now=NOON)), b"{}")
    assert all(f"`{one.partition('.')[0]}" in text for one in EventType)


def verified(secret: bytes, sent: Mapping[str, str], body: bytes) -> bool:
    text = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return wanted in sent["webhook-signature"].split()


@given(st.binary(max_size=200), st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=SECRETS))
def test_a_message_is_verified_by_each_of_its_secrets_and_no_other(body: bytes, secrets: list[bytes]) -> None:
    sent = dict(headers("msg_1", body, secrets, now=NOON))

    assert all(verified(secret, sent, body) for secret in secrets)
    assert not verified(b"x" * 65, sent, body)
    assert not verified(secrets[0], sent, body + b" ")
    assert not verified(secrets[0], sent | {"webhook-id": "msg_2"}, body)
    assert not verified(secrets[0], sent | {"webhook-timestamp": "1"}, body)


def test_a_secret_is_made_of_the_houses_key_and_never_kept() -> None:
    secret = Secret(name="s1", key="new")
    derived = secret.derived(KEYS)

    assert derived
    assert shown(derived).startswith(PREFIX)
    assert len(derived) == 32
    assert derived == secret.derived({"new": KEYS["new"]})
    assert len({derived, Secret(name="s2", key="new").derived(KEYS), Secret(name="s1", key="old").derived(KEYS)}) == 3
    assert secret.derived({"old": KEYS["old"]}) is None


def test_the_secret_before_signs_for_a_day_more() -> None:
    rotated = a_webhook().rotated(Secret(name="s2", key="0"), now=NOON)

    assert [one.name for one in rotated.valid(NOON)] == ["s2", "s1"]
    assert [one.name for one in rotated.valid(NOON + OVERLAP - SECOND)] == ["s2", "s1"]
    assert [one.name for one in rotated.valid(NOON + OVERLAP)] == ["s2"]


@given(st.lists(st.integers(0, 30), max_size=8))
def test_however_often_it_is_rotated_few_secrets_are_valid_and_none_longer_than_a_day(hours: list[int]) -> None:
    webhook, now = a_webhook(), NOON
    for number, later in enumerate(hours):
        now += timedelta(hours=later)
        webhook = webhook.rotated(Secret(name=f"n{number}", key="0"), now=now)

    present, *before = webhook.valid(now)
    assert (present.name, present.until) == (f"n{len(hours) - 1}" if hours else "s1", None)
    assert len(before) < SECRETS
    assert all(one.until and now < one.until <= now + OVERLAP for one in before)


@given(st.integers(1, 50), st.text())
def test_waits_are_those_that_standard_webhooks_suggests_and_a_little_more(attempts: int, name: str) -> None:
    least = WAITS[min(attempts, len(WAITS)) - 1]

    assert least <= wait(attempts, name) <= least * (1 + JITTER)
    assert wait(attempts, name) == wait(attempts, name)


def test_waits_differ_between_posts() -> None:
    assert len({wait(1, f"msg_{number}") for number in range(100)}) > 90


def test_it_is_tried_ten_times_in_three_days_and_given_up() -> None:
    post, now, moments = a_post(), NOON, []
    while post.state is PostState.PENDING:
        now = post.due_at
        moments.append(now)
        post = post.claimed(now=now).answered(BROKEN, now=now)

    assert (post.state, post.attempts, post.status) == (PostState.GIVEN_UP, 10, 500)
    assert post.error == "it answered 500 (Internal Server Error)"
    assert timedelta(days=3) < now - NOON < timedelta(days=4)
    assert moments == sorted(set(moments))


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (FINE, PostState.DELIVERED, ""),
        (Answer(status=200), PostState.DELIVERED, ""),
        (Answer(status=299), PostState.DELIVERED, ""),
        (GONE, PostState.GIVEN_UP, "it answered 410 (Gone)"),
        (Answer(status=302), PostState.PENDING, "it answered 302 (Found); redirects are not followed"),
        (Answer(status=404), PostState.PENDING, "it answered 404 (Not Found)"),
        (Answer(status=799), PostState.PENDING, "it answered 799"),
        (Answer(why="nobody answers there"), PostState.PENDING, "nobody answers there"),
    ],
)
def test_what_an_answer_means_for_a_post(answer: Answer, state: PostState, error: str) -> None:
    post = a_post().claimed(now=NOON).answered(answer, now=NOON)

    assert (post.state, post.error, post.status) == (state, error, answer.status)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Sun, 01 Mar 2026 12:10:00 GMT", 600),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("999999999999999999999999", LATEST.total_seconds()),
        ("Sun, 01 Mar 2099 12:10:00 GMT", LATEST.total_seconds()),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
    ],
)
def test_a_receiver_says_when_to_come_again(text: str, seconds: float) -> None:
    assert Answer(status=429, retry_after=text).pause(NOON) == timedelta(seconds=seconds)


@given(st.text())
def test_whatever_a_receiver_says_the_pause_is_a_day_at_most(text: str) -> None:
    assert timedelta() <= Answer(status=503, retry_after=text).pause(NOON) <= LATEST


def test_a_longer_pause_that_the_receiver_wants_counts_and_a_shorter_one_does_not() -> None:
    post = a_post().claimed(now=NOON)

    assert post.answered(Answer(status=429, retry_after="3600"), now=NOON).due_at == NOON + timedelta(hours=1)
    assert post.answered(Answer(status=429, retry_after="1"), now=NOON).due_at == NOON + wait(1, post.id)


def test_a_claimed_post_is_due_again_when_nobody_has_heard_of_it() -> None:
    claimed = a_post().claimed(now=NOON)

    assert (claimed.due_at, claimed.attempts, claimed.tried_at) == (NOON + LEASE, 1, NOON)


def test_what_is_on_its_way_is_not_sent_again_and_what_is_settled_is_under_the_same_id() -> None:
    with pytest.raises(NothingToDo, match="on its way"):
        a_post().resent(now=NOON)

    for settled in (a_post(state=PostState.DELIVERED, attempts=3), a_post().given_up("no")):
        assert settled.resent(now=NOON) == a_post()


def test_a_receiver_that_is_gone_is_turned_off_at_once_and_one_that_fails_after_five_days() -> None:
    webhook = a_webhook()
    failing = webhook.answered(BROKEN, now=NOON)
    patient = failing.answered(BROKEN, now=NOON + PATIENCE - SECOND)
    over = patient.answered(BROKEN, now=NOON + PATIENCE)

    assert webhook.answered(FINE, now=NOON) == webhook
    assert (failing.failing_since, failing.disabled, patient.disabled) == (NOON, None, None)
    assert (
        over.disabled == "nothing has arrived there for 5 days; the last time it answered 500 (Internal Server Error)"
    )
    assert patient.answered(FINE, now=NOON) == webhook
    assert "410" in (webhook.answered(GONE, now=NOON).disabled or "")
    assert over.enabled() == webhook


def test_events_go_to_those_who_want_them() -> None:
    event = trial(a_webhook(), now=NOON)

    assert a_webhook().wants(event)
    assert a_webhook(types=(EventType.TEST,)).wants(event)
    assert not a_webhook(types=(EventType.JOB_FAILED,)).wants(event)
    assert not a_webhook(disabled="gone").wants(event)


def a_payout(state: PayoutState) -> Payout:
    return Payout(id="p1", owner="ann", amount=5, to="IBAN", state=state, requested_at=NOON, updated_at=NOON)


EVENTS: list[tuple[Event, str, dict[str, Any]]] = [
    (ended(a_job().succeeded({}, now=NOON), now=NOON), "job.succeeded", {"id": "j1", "failure": None}),
    (ended(a_job().cancelled(now=NOON), now=NOON), "job.cancelled", {"state": JobState.CANCELLED, "charged": 0}),
    (
        ended(a_job().failed(Failure(code="x", words="It broke."), now=NOON), now=NOON),
        "job.failed",
        {"failure": {"code": "x", "words": "It broke."}},
    ),
    (looked_at(a_dataset(status="ready"), now=NOON), "dataset.ready", {"id": "d1", "name": "zorp"}),
    (looked_at(a_dataset(status="error"), now=NOON), "dataset.error", {"status": "error"}),
    (published(a_model(), now=NOON), "model.published", {"name": "ann/zorp", "published_at": "2026-03-01T12:00:00Z"}),
    *((stepped(a_payout(state)), f"payout.{state}", {"amount": 5}) for state in PayoutState),
]


@pytest.mark.parametrize(("event", "kind", "facts"), EVENTS, ids=[kind for _, kind, _ in EVENTS])
def test_an_event_is_told_as_the_standard_has_it(event: Event, kind: str, facts: dict[str, Any]) -> None:
    body = json.loads(event.body)

    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == (kind, "2026-03-01T12:00:00Z")
    assert body["data"] | facts == body["data"]
    assert "IBAN" not in event.body.decode()


def test_every_type_of_event_but_the_test_is_told_of() -> None:
    assert {kind for _, kind, _ in EVENTS} == set(EventType) - {EventType.TEST}


def test_a_post_is_the_event_of_its_webhook() -> None:
    webhook = a_webhook()

    assert posted(trial(webhook, now=NOON), webhook, name="p1") == a_post()


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/in?x=1",
        "https://hooks.example:8443/",
        " https://hooks.example:443 ",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:8443/",
    ],
)
def test_addresses_of_the_internet_may_be_sent_to(url: str) -> None:
    assert receiver(url) == url.strip()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/", "https://"),
        ("ftp://hooks.example/", "https://"),
        ("hooks.example", "https://"),
        ("", "characters"),
        ("https://", "https://"),
        ("https://[::1", "no link"),
        ("https://hooks.example:x/", "no link"),
        ("https://hooks.example:22/", "port"),
        ("https://ann:secret@hooks.example/", "password"),
        ("https://ann@hooks.example/", "password"),
        ("https://hooks.example/a b", "characters"),
        ("https://hooks.example/\u202e", "characters"),
        (f"https://hooks.example/{'x' * 2000}", "characters"),
        ("https://localhost/", "private network"),
        ("https://a.localhost./", "private network"),
        ("https://printer.local/", "private network"),
        ("https://metadata.google.internal/", "private network"),
        ("https://127.0.0.1/", "private network"),
        ("https://10.0.0.1/", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:127.0.0.1]/", "private network"),
        ("https://[fd00:ec2::254]/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://127.1/", "private network"),
        ("https://0x7f.1/", "private network"),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_nothing_is_sent_anywhere_else(url: str, why: str, *, local: bool) -> None:
    if local and why == "private network" and url in {"https://localhost/", "https://127.0.0.1/", "https://[::1]/"}:
        assert receiver(url, local=True) == url
        return
    with pytest.raises(BadValue, match=why):
        receiver(url, local=local)


def test_for_development_this_machine_may_be_sent_to() -> None:
    for url in ("http://localhost:9000/", "http://127.0.0.1:1/", "https://[::1]:9000/"):
        assert receiver(url, local=True) == url
    for url in ("http://10.0.0.1/", "http://hooks.example/", "http://ann@localhost/", "ftp://localhost/"):
        with pytest.raises(BadValue):
            receiver(url, local=True)


@given(st.text())
def test_whatever_is_typed_is_an_address_or_refused_in_words(text: str) -> None:
    with suppress(BadValue):
        assert receiver(text).startswith("https://")


def test_a_note_is_one_line() -> None:
    assert noted("  my \n CI ") == "my CI"
    for text in ("x" * (LENGTH + 1), "\u202e"):
        with pytest.raises(BadValue):
            noted(text)


@given(st.sampled_from([BROKEN, FINE, GONE, Answer(why="no")]), st.integers(0, 20))
def test_whatever_comes_of_an_attempt_the_post_is_settled_or_due_later(answer: Answer, attempts: int) -> None:
    post: Post = a_post(attempts=attempts).claimed(now=NOON).answered(answer, now=NOON)

    assert post.state is not PostState.PENDING or post.due_at > NOON
    assert (post.error == "") is (post.state is PostState.DELIVERED)
