import pytest

from core.domain.account import Actor, Role
from core.domain.errors import (
    Ambiguous,
    BadValue,
    BaseUnavailable,
    ConsentWithdrawn,
    ModelUnfit,
    NotAdult,
    NotFound,
    Suspended,
)
from core.domain.fleet import Worker
from core.domain.generation import Generation
from core.domain.order import Start, able, called, drawing, prospect, rated, require_base, run_of
from core.domain.quote import SEEDS, wished
from core.domain.rating import Rating
from core.domain.royalty import Terms
from tests.builders.entities import NOON, a_dataset, a_model, a_quote, a_run, an_offering

ANN = Actor(account="ann", name="ann", role=Role.USER)
GPUS = {"any": {"label": "gpu"}, "large": {"label": "a100", "hour": 90}}
SHAPE = {"rank": 4, "alpha": 2.0, "targets": "all", "steps": 9}


def a_worker(name: str = "w1", **facts: object) -> Worker:
    wished: dict[str, object] = {"id": name, "host": name, "pid": 1, "device": "cpu", "kinds": ("training",)}
    return Worker.model_validate(wished | {"started_at": NOON, "seen_at": NOON} | facts)


def a_start(**facts: object) -> Start:
    run = a_run(hyperparameters=SHAPE, recipe="sd15_lora")
    return Start(model=a_model(**facts), run=run, dataset=a_dataset())


def test_what_belongs_to_no_recipe_is_taken_out_of_the_settings() -> None:
    wishes = wished({"rank": "8", "seed": "7", "gpu": "large", "from": "zorp"})

    assert (wishes.settings, wishes.seed, wishes.gpu, wishes.model) == ({"rank": "8"}, 7, "large", "zorp")
    assert (wished({}).seed, wished({}).gpu, wished({}).model) == (None, "", None)
    for seed in ("-1", "seven", "²", str(SEEDS)):
        with pytest.raises(BadValue, match="seed"):
            wished({"seed": seed})


def test_a_model_to_continue_from_is_one_of_ones_own_by_id_name_or_word() -> None:
    one, other = a_model(id="m1", slug="zorp"), a_model(id="m2", slug="zorp-2")
    last = a_model(id="m3", slug="glim", trigger="glim")

    assert [called(name, [one, other, last], owner="ann").id for name in ("m2", "zorp-2", "glim")] == ["m2", "m2", "m3"]
    assert called("ann/zorp", [one, other, last], owner="ann") == one
    with pytest.raises(Ambiguous, match=r"zorp-1 \(m1\), zorp-2 \(m2\)"):
        called("zorp", [one.but(slug="zorp-1", names=("zorp-1",)), other], owner="ann")
    with pytest.raises(NotFound):
        called("bob", [one], owner="ann")


def test_nothing_is_continued_that_may_not_be_used_or_does_not_fit() -> None:
    offering, start = an_offering(), a_start()

    start.require_fit(ANN, offering)
    for unfit, error in (
        (a_start(suspended="r1"), Suspended),
        (a_start(withdrawn=("i1",)), ConsentWithdrawn),
        (start.but(dataset=a_dataset(revoked_at=NOON)), ConsentWithdrawn),
        (start.but(dataset=a_dataset(suspended="r1")), Suspended),
        (a_start(rating=Rating.NSFW), NotAdult),
        (a_start(family="sdxl"), ModelUnfit),
    ):
        with pytest.raises(error):
            unfit.require_fit(ANN, offering)
    start.but(dataset=None).require_fit(ANN, offering)
    a_start(rating=Rating.NSFW).require_fit(ANN.but(adult=True), offering)


def test_what_continues_has_the_shape_of_the_first_and_its_stricter_rating() -> None:
    start = a_start(rating=Rating.NSFW)

    assert start.shape == {"rank": 4, "alpha": 2.0, "targets": "all"}
    assert [rated(a_dataset(), one) for one in (None, a_start(), start)] == [Rating.SFW, Rating.SFW, Rating.NSFW]
    job = prospect(a_quote(seed=None), an_offering(), a_dataset())
    run = run_of(job, a_quote(), an_offering(), snapshot="s1", seed=3, start=start)
    assert (run.start, run.seed, run.snapshot) == (start.model.artifact.sha256, 3, "s1")


def test_a_job_asks_for_what_its_offering_and_its_class_of_gpu_need() -> None:
    offering = an_offering(gpus=GPUS, gpu_memory=8000, labels=("gpu",))

    job = prospect(a_quote(gpu="large", seconds=70.0), offering, a_dataset())

    assert (job.title, job.price, job.labels, job.memory) == ("zorp · Tiny", 11, ("gpu", "a100"), 8000)
    assert (job.offering, job.base, job.estimate) == ("tiny", "base", 70.0)
    assert (job.meter.gpu, job.meter.rate, job.meter.weight) == ("large", 90, 1)


def test_drawing_waits_for_any_class_of_device_that_has_room_for_the_base() -> None:
    offering = an_offering(gpus=GPUS, gpu_memory=8000, labels=("gpu",), hour=40)

    terms = Terms(percent=30, cap=10, holding_days=7)
    size = {"width": 64, "height": 64, "count": 1, "steps": 4, "guidance": 3.0, "seed": 1}
    wanted = Generation(
        id="g1", owner="ann", text="zorp", prompt="zorp", offering="tiny", terms=terms, created_at=NOON, **size
    )

    job = drawing(wanted, offering, key="k1")

    assert (job.kind, job.key, job.price, job.labels, job.memory) == ("generation", "k1", 1, ("gpu",), 8000)
    assert (job.offering, job.base, job.meter.rate, job.meter.gpu) == ("tiny", "base", 40, "")


def test_who_is_able_has_labels_memory_and_kind_and_one_of_them_must_have_the_base() -> None:
    offering = an_offering(gpus=GPUS, gpu_memory=8000)
    job = prospect(a_quote(gpu="any"), offering, a_dataset())
    fit = a_worker("fit", labels=("gpu", "x"), memory=8000)
    others = [a_worker("cpu"), fit.but(id="small", memory=7999), fit.but(id="draws", kinds=("generation",))]
    bare = fit.but(id="bare", missing={"tiny": "Its base is not on that disk."})

    assert able(job, [*others, fit, bare]) == [fit, bare]
    require_base(offering, [fit, bare])
    require_base(offering, [])
    with pytest.raises(BaseUnavailable, match=r"for now: Its base is not on that disk\. Tell an admin"):
        require_base(offering, [bare])
