"""The captioner over an API: what it sends, and what it says of everything that can go wrong there."""

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog
from PIL import Image
from pydantic import SecretStr

from config.settings import Settings
from tests.emulators.vision import KEY, MODEL, Answer, Vision, seeing
from tests.worker.pictures import a_picture, encoded, stored
from worker.adapters import captioners
from worker.adapters.captioners import CaptionerFailed, NotDescribed


@pytest.fixture
async def vision() -> AsyncIterator[Vision]:
    async with seeing() as api:
        yield api


@pytest.fixture
def impatient() -> Iterator[None]:
    """Try as often as ever, and wait for nothing."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


def settings_for(url: str, **facts: Any) -> Settings:
    wished: dict[str, Any] = {"vision_url": url, "vision_model": MODEL, "vision_key": SecretStr(KEY)}
    return Settings(**(wished | facts))


async def captioned(settings: Settings, picture: Path) -> str:
    async with captioners.captioner("vision", settings) as captioner:
        return await captioner.caption(picture)


async def checked(settings: Settings) -> None:
    async with captioners.captioner("vision", settings) as captioner:
        await captioner.check()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return stored(tmp_path, encoded(a_picture()))


async def test_a_picture_is_sent_no_larger_than_needed_and_described(vision: Vision, tmp_path: Path) -> None:
    wide = stored(tmp_path, encoded(Image.new("RGBA", (2048, 512), (0, 0, 0, 0)), "PNG"))
    vision.will(Answer(text='"standing,\nin a red coat."'))
    assert await captioned(settings_for(vision.url), wide) == "standing, in a red coat"
    assert vision.pictures == [(1024, 256)]


async def test_the_check_tries_address_key_model_and_eyes_at_once(vision: Vision) -> None:
    await checked(settings_for(f"{vision.url}/"))
    assert vision.pictures == [(64, 64)]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"vision_key": SecretStr("wrong")}, "does not accept VISION_KEY (HTTP 401). An operator has to set another."),
        (
            {"vision_model": "eyes-0"},
            "has no model «eyes-0» for this (HTTP 404): «The model `eyes-0` does not exist».",
        ),
    ],
)
async def test_who_is_not_let_in_hears_it_at_once(vision: Vision, facts: dict[str, Any], words: str) -> None:
    with pytest.raises(CaptionerFailed) as refused:
        await checked(settings_for(vision.url, **facts))
    assert refused.value.words.startswith(f"127.0.0.1 {words}")
    assert len(vision.moments) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=403), "does not accept VISION_KEY (HTTP 403). An operator has to set another."),
        (
            Answer(status=429, headers={"Retry-After": "0"}),
            "takes no more pictures for now (HTTP 429): «refused with 429». Try again later.",
        ),
        (Answer(status=500), "is out of order (HTTP 500): «refused with 500». Try again later."),
        (Answer(status=503, body="<h1>down</h1>"), "is out of order (HTTP 503). Try again later."),
        (Answer(status=400), "did not take the picture (HTTP 400): «refused with 400»."),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}), "did not take the picture (HTTP 302): "),
        (Answer(hangs_up=True), "broke the connection off."),
        (Answer(seconds=60), "did not answer within 0.05 s."),
        (Answer(body="<html><body>Welcome</body></html>"), "answered something else than a description."),
        (Answer(body="[" * 100_000), "answered something else than a description."),
        (Answer(body='{"choices": []}'), "answered something else than a description."),
        (Answer(body="x" * 2**21), "answered something else than a description."),
        (Answer(text=None), "said nothing of this picture."),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_every_failure_has_words_of_its_own(vision: Vision, picture: Path, answer: Answer, words: str) -> None:
    vision.always = answer
    settings = settings_for(vision.url, vision_timeout=0.05 if answer.seconds else 60.0)
    with pytest.raises(CaptionerFailed) as at_start:
        await checked(settings)
    assert at_start.value.words.startswith(f"127.0.0.1 {words}")
    with pytest.raises((NotDescribed, CaptionerFailed)) as of_one:
        await captioned(settings, picture)
    assert isinstance(of_one.value, CaptionerFailed) is (answer.status == 403)
    assert str(of_one.value).startswith(f"127.0.0.1 {words}")


@pytest.mark.usefixtures("impatient")
async def test_an_empty_or_endless_answer_fails_this_picture(vision: Vision, picture: Path) -> None:
    vision.will(Answer(text=""), Answer(text="word " * 1000))
    settings = settings_for(vision.url)
    with pytest.raises(NotDescribed, match="without a word"):
        await captioned(settings, picture)
    with pytest.raises(NotDescribed, match="has 4999 characters"):
        await captioned(settings, picture)
    assert await captioned(settings, picture) == "a scene"


@pytest.mark.usefixtures("impatient")
async def test_nobody_there_is_said(picture: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        settings = settings_for(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1")
        with pytest.raises(CaptionerFailed, match=r"127\.0\.0\.1 cannot be reached: "):
            await checked(settings)
        with pytest.raises(NotDescribed, match=r"127\.0\.0\.1 cannot be reached: "):
            await captioned(settings, picture)


async def test_a_broken_address_is_said() -> None:
    with pytest.raises(CaptionerFailed, match="VISION_URL is not the address of an API"):
        await checked(settings_for("nowhere"))


@pytest.mark.usefixtures("impatient")
async def test_what_may_go_better_is_tried_again(vision: Vision, picture: Path) -> None:
    vision.will(Answer(status=500), Answer(hangs_up=True), Answer(status=429))
    assert await captioned(settings_for(vision.url), picture) == "a scene"
    assert len(vision.moments) == 4


async def test_a_provider_is_given_the_time_that_it_asks_for(vision: Vision, picture: Path) -> None:
    vision.will(Answer(status=429, headers={"Retry-After": "0.25"}))
    with structlog.testing.capture_logs() as logs:
        assert await captioned(settings_for(vision.url), picture) == "a scene"
    assert [entry["wait_for"] for entry in logs] == [0.25]


async def test_nobody_waits_for_an_hour(vision: Vision, picture: Path) -> None:
    vision.will(Answer(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(NotDescribed, match="HTTP 429"):
        await captioned(settings_for(vision.url), picture)
    assert len(vision.moments) == 1


@pytest.mark.usefixtures("impatient")
async def test_the_key_is_in_no_word_and_in_no_log(vision: Vision, picture: Path) -> None:
    echo = '{"error": {"message": "bad key ' + KEY + " in Bearer " + KEY + '"}}'
    with structlog.testing.capture_logs() as logs:
        for status in (400, 401, 404, 429, 500):
            vision.always = Answer(status=status, body=echo)
            with pytest.raises((NotDescribed, CaptionerFailed)) as failed:
                await captioned(settings_for(vision.url), picture)
            assert KEY not in str(failed.value)
            assert "…" in str(failed.value) or status == 401
    async with captioners.captioner("vision", settings_for(vision.url)) as captioner:
        assert KEY not in f"{captioner!r} {logs!r}"


async def test_without_a_key_there_is_no_such_captioner() -> None:
    with pytest.raises(CaptionerFailed, match="This worker has no VISION_KEY"):
        await checked(Settings(vision_key=None))
