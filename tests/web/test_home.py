from core.domain.account import Actor
from loraguild.composition import House
from tests.builders.scenes import a_ready_dataset
from tests.builders.visits import Client, bearing, entered


async def test_a_newcomer_is_shown_the_road_and_others_what_they_have(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)
    first = await (await client.get("/")).text()
    await a_ready_dataset(house, ann)
    then = await (await client.get("/")).text()

    assert "Your first model, in four steps" in first
    assert "Your first model" not in then
    assert "zorp" in then


async def test_whoever_is_not_signed_in_is_led_to_the_door_and_back(client: Client) -> None:
    response = await client.get("/?status=ready", allow_redirects=False, headers={"Accept": "text/html"})

    assert (response.status, response.headers["Location"]) == (303, "/login?next=%2F%3Fstatus%3Dready")


async def test_a_token_opens_no_page(house: House, client: Client, ann: Actor) -> None:
    response = await client.get("/", headers=await bearing(house, ann))

    assert response.status == 401
