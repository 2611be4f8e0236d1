"""A house in a storm, round after round: no job is lost, none is done twice, and the money is exact to the point.

Workers, their children and the database are killed, told to leave or stand still while reports come twice and too late.
What happens is chosen by a seed, which is told when a round fails.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import pytest
import pytest_asyncio

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.job import Job, JobState
from loraguild.composition import House, ready
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, given, somebody
from tests.e2e.chaos import Customer, Storm
from tests.e2e.chaos_proof import prove_the_house, prove_the_job
from tests.e2e.clocks import MovedClock, clock_of
from tests.e2e.crew import Crew, a_crew
from tests.e2e.processes import a_house
from tests.e2e.training_scene import over
from tests.worker.pictures import a_picture, encoded

GIVEN = 1_000_000  # qoints
NAMES = ("ann", "bob", "zoe")

pytestmark = [pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]


@dataclass(kw_only=True)
class Scene:
    """A house with a crew; `jobs` are those of the storms so far."""

    seed: int
    house: House
    database: Database
    crew: Crew
    clock: MovedClock
    root: Actor
    customers: tuple[Customer, ...]
    jobs: Mapping[str, Job]

    @property
    def given(self) -> Mapping[str, int]:
        return {customer.actor.account: GIVEN for customer in self.customers}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    data = tmp_path_factory.mktemp("house")
    clock = clock_of(data)
    async with a_house(data, clock=clock, daily_points=0) as house, ready(house.settings) as database:
        with a_crew(data) as crew:
            customers = await asyncio.gather(*(a_customer(house, name) for name in NAMES))
            yield Scene(
                seed=request.config.getoption("--seed", default=None) or secrets.randbits(32),
                house=house,
                database=database,
                crew=crew,
                clock=clock,
                root=await somebody(house, "root"),
                customers=tuple(customers),
                jobs={},
            )


async def a_customer(house: House, name: str) -> Customer:
    actor = await somebody(house, name)
    await given(house, actor, GIVEN)
    return Customer(
        actor=actor,
        trained=await a_dataset(house, actor, name=f"{name}-trained"),
        described=await a_dataset(house, actor, name=f"{name}-described"),
    )


async def a_dataset(house: House, actor: Actor, *, name: str) -> Dataset:
    """Let the crew look into a picture."""
    datasets = house.services.datasets
    dataset = await datasets.create(actor, name=name, trigger=name)
    picture = Upload(name=f"{name}.png", content=encoded(a_picture()))
    intake = await house.services.intakes.add(actor, dataset, [picture], place=HOME, key=name)
    assert (await over(house, intake)).state is JobState.SUCCEEDED
    for look in await house.store.jobs.about(dataset.id):
        await over(house, look)
    return (await datasets.view(actor, dataset.id)).dataset


@contextmanager
def explained(storm: Storm, words: str) -> Iterator[None]:
    """Say of a failure how the same storm is raised again, and what it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"{words}: {', '.join(storm.struck)}")
        raise


async def test_a_storm(scene: Scene, number: int) -> None:
    house, known = scene.house, scene.jobs
    storm = Storm(
        house=house,
        crew=scene.crew,
        clock=scene.clock,
        root=scene.root,
        customers=scene.customers,
        rng=Random(f"{scene.seed} {number}"),
    )

    with explained(storm, f"Round {number} of --seed {scene.seed}"):
        await storm.rage()

        jobs = scene.jobs = await prove_the_house(house, scene.database, given=scene.given)
        for job in [*known.values(), *storm.cancelled.values()]:
            assert jobs[job.id].model_dump() == job.model_dump()
        new = [job for job in jobs.values() if job.id not in known]
        for job in new:
            await prove_the_job(house, job, told=storm.told)
        assert any(job.state is JobState.SUCCEEDED for job in new)
