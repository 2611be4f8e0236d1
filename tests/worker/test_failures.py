"""The catalogue of failures: every one that a task can foresee has a row, and what others raise becomes one of them."""

import errno
import importlib
import pkgutil
from typing import Any

import httpx2
import pytest
import torch
from huggingface_hub.errors import GatedRepoError
from pydantic import ValidationError

import worker
from core.domain.errors import DomainError
from core.domain.failure import CATALOGUE, row_of
from core.domain.recipes.sd15_lora import Hyperparameters
from worker.channel import TaskFailed
from worker.pipelines.failures import foreseen
from worker.pipelines.tasks import BadHyperparameters, BadItem, BaseGated, BaseMissing, DiskFull, OutOfMemory

MADE_ELSEWHERE = {"attempts_used_up", "broke", "house_away", "quarantined"}  # by the house, not by a task


def leaves(kind: Any) -> set[Any]:
    below: list[Any] = kind.__subclasses__()
    return {leaf for one in below for leaf in leaves(one)} or {kind}


def foreseen_codes() -> list[str]:
    for module in pkgutil.walk_packages(worker.__path__, "worker."):
        if not module.name.startswith(("worker.recipes.", "worker.architectures.")):
            importlib.import_module(module.name)
    return sorted(leaf.code for leaf in leaves(TaskFailed) if leaf.__module__.startswith("worker."))


def test_every_failure_has_a_row_of_its_own_and_every_row_a_failure() -> None:
    codes = foreseen_codes()
    assert len(codes) == len(set(codes))
    assert {*codes, *MADE_ELSEWHERE} == set(CATALOGUE)
    assert not set(CATALOGUE) & {leaf.code for leaf in leaves(DomainError)}


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_row_says_what_happened(code: str) -> None:
    words = row_of(code).told("It {broke}.")
    assert words[0].isupper()
    assert words.endswith(".")
    assert "{said}" not in words


def test_what_the_owner_has_to_mend_is_never_free() -> None:
    assert not [code for code, row in CATALOGUE.items() if row.free and not row.ours]


def test_what_the_domain_refuses_says_it_all_itself() -> None:
    assert row_of("offering_closed").told("It is closed.") == "It is closed."


def test_running_out_of_memory_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert isinstance(foreseen(caught.value), OutOfMemory)
    assert isinstance(foreseen(MemoryError()), OutOfMemory)
    assert foreseen(RuntimeError("shapes do not fit")) is None


def test_what_a_failure_was_made_of_tells_more() -> None:
    gated = GatedRepoError(
        "Accept the terms.", response=httpx2.Response(403, request=httpx2.Request("GET", "http://hub"))
    )
    full = OSError(errno.ENOSPC, "No space left on device")
    for cause, meant in ((gated, BaseGated), (full, DiskFull)):
        missing = BaseMissing("The base model cannot be loaded.")
        missing.__cause__ = cause
        assert isinstance(foreseen(missing), meant)
    assert foreseen(BadItem("The picture a.png cannot be read.")) is None


def test_settings_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValidationError) as refused:
        Hyperparameters.model_validate({"rank": 0})
    failure = foreseen(refused.value)
    assert isinstance(failure, BadHyperparameters)
    assert failure.words.startswith("rank: ")
    with pytest.raises(ValidationError) as broken:
        DiskTask.model_validate({})
    assert foreseen(broken.value) is None


class DiskTask(Hyperparameters):
    size: int
