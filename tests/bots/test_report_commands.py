"""Reports, as they are said in chats: by anybody, decided by moderators."""

from bots.cards.notices import told
from core.domain.account import Role
from core.domain.notice import Topic
from loraguild.composition import House
from tests.builders.chats import a_call, labels, press, say
from tests.builders.scenes import a_ready_dataset, a_trained_model, finished, imagined, moderating, somebody


async def test_a_viewer_reports_and_a_moderator_decides(house: House) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), moderating(await somebody(house, "mod"))
    models = [await a_trained_model(house, ann, name=name) for name in ("zorp", "gorp")]
    for model in models:
        await house.services.models.publish(ann, model.id)
    viewer = bob.but(role=Role.VIEWER)
    made = await say(house, viewer, "report", kind="model", name="ann/zorp", why="that is me")
    again = await say(house, viewer, "report", kind="model", name=models[0].id, why="that is me")
    await say(house, viewer, "report", kind="model", name="gorp", why="me too")
    shown = await say(house, mod, "moderation reports")
    upheld, _ = await press(house, mod, shown, "Uphold")
    following, _ = await press(house, mod, upheld, "Next")
    dismissed, _ = await press(house, mod, following, "Dismiss")
    over, _ = await press(house, mod, dismissed, "Next")

    assert made.title == "Thank you: a moderator looks at it"
    assert made.lines == ("Until then nobody can use it. The owner is not told who you are.",)
    assert again.code == "not_found"  # nobody sees it any more
    assert shown.title == "Model «ann/zorp» of ann"
    assert shown.lines == ("bob: that is me", "1 report more wait.")
    assert labels(shown) == ["Uphold", "Dismiss", "Look"]
    assert (upheld.title, following.title) == ("«ann/zorp» is taken down", "Model «ann/gorp» of ann")
    assert dismissed.title == "The report about «ann/gorp» is dismissed"
    assert over.title == "No report waits for a moderator"
    assert (await say(house, bob, "imagine", prompt="gorp")).code is None
    assert (await say(house, bob, "imagine", prompt="zorp")).code == "no_trigger"


async def test_pictures_are_reported_by_the_id_on_their_card(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)
    drawn = await finished(house, await imagined(house, ann, "zorp"))

    assert (await say(house, bob, "report", kind="generation", name=drawn.id, why="me")).code is None
    assert (await say(house, ann, "imagine", prompt="zorp")).code == "no_trigger"
    assert (await say(house, bob, "report", kind="generation", name="nothing", why="me")).code == "not_found"


async def test_what_one_cannot_see_is_not_there(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    model = await a_trained_model(house, ann, name="gorp")

    for kind, name in (("dataset", dataset.id), ("dataset", "zorp"), ("model", model.id), ("model", "gorp")):
        assert (await say(house, bob, "report", kind=kind, name=name, why="me")).code == "not_found"
    assert (await say(house, ann, "report", kind="dataset", name="zorp", why="me")).code == "nothing_to_do"
    assert (await say(house, bob, "moderation reports")).code == "not_allowed"
    wrong = await say(house, bob, "report", kind="nonsense", name="zorp", why="me")
    assert wrong.code == "not_found"


async def test_the_owner_is_told_that_and_not_by_whom(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await house.services.models.publish(ann, model.id)
    await say(house, bob, "report", kind="model", name="ann/zorp", why="bob was here")
    notices = [one async for one in house.store.notices.everything() if one.topic is Topic.REPORTED]
    (notice,) = [one for one in notices if one.account == ann.account]
    reply = await told(a_call(house, ann), notice)

    assert reply.title == "Model «ann/zorp» was reported"
    assert "bob" not in str(notice.details)
