"""What is found by name is complete, and its halves in different layers match."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

import worker.kinds
from bots import commands
from bots.chat.parameter import Parameter
from core import kinds
from core.domain import recipes
from core.domain.value import Value
from worker import recipes as working

KINDS = sorted(kinds.discovered())


def test_the_kinds_of_jobs() -> None:
    assert KINDS == ["captioning", "export", "generation", "intake", "mending", "publication", "training", "validation"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_card_and_somebody_who_does_it(kind: str) -> None:
    drawing = import_module(f"bots.cards.{kind}")

    assert callable(drawing.running)
    assert callable(drawing.done)
    assert find_spec(f"worker.kinds.{kind}")


def test_nobody_works_on_a_kind_that_cannot_be_ordered() -> None:
    assert {module.name for module in pkgutil.iter_modules(worker.kinds.__path__)} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_payload_and_result_are_values(kind: str) -> None:
    module = kinds.discovered()[kind]

    assert issubclass(module.Payload, Value)
    assert issubclass(module.Result, Value)


def test_every_recipe_has_its_half_in_the_worker() -> None:
    assert recipes.names() == working.names()
    for name in recipes.names():
        assert issubclass(recipes.hyperparameters(name), Value)


def test_the_commands() -> None:
    found = commands.discovered()
    menu = {path for path, definition in found.items() if definition.menu}

    assert menu == {
        *("start", "help", "me", "link", "login", "notify", "offerings", "quote", "imagine", "wallet", "receipts"),
        *("redeem", "dispute", "statement", "earnings"),
        *(f"admin {verb}" for verb in ("ban", "unban", "role", "setting")),
        *(f"admin {verb}" for verb in ("grant", "refund", "audit", "broadcast", "moderate")),
        *(f"admin {verb}" for verb in ("code", "disputes", "payouts", "approve", "reject", "paid", "related")),
        *(
            f"admin {verb}"
            for verb in ("workers", "drain", "undrain", "pause", "resume", "queue", "requeue", "offering")
        ),
        *(f"dataset {verb}" for verb in ("new", "add", "upload", "list", "view", "check", "delete")),
        *(f"dataset {verb}" for verb in ("fetch", "edit", "remove", "restore", "purge", "share", "unshare", "consent")),
        *("dataset export", "connect dropbox", "connect forget"),
        *("report", "moderation reports", "moderation adult", "forget me"),
        *(f"train {verb}" for verb in ("order", "list", "view", "cancel", "why")),
        *(f"train {verb}" for verb in ("sample", "save", "stop", "extend", "retry")),
        *(f"generation {verb}" for verb in ("list", "info", "again", "vary", "rate", "delete")),
        *(f"model {verb}" for verb in ("list", "view", "card", "stats", "download", "samples", "edit", "rename")),
        *(f"model {verb}" for verb in ("publish", "unpublish", "share", "unshare", "pin", "epoch", "delete")),
        *(f"payout {verb}" for verb in ("request", "list", "cancel", "spend")),
        *(f"caption {verb}" for verb in ("auto", "retry", "providers", "edit")),
        *(f"caption {verb}" for verb in ("delete", "history", "diff", "undo", "review", "set")),
        *(f"caption {verb}" for verb in ("replace", "prepend", "append", "clear")),
        *(f"character {verb}" for verb in ("new", "list", "view", "edit", "trait", "adult", "delete", "restore")),
    }
    assert set(found) - menu == {
        *(f"dataset {verb}" for verb in ("remove-now", "delete-all", "delete-all-now", "purge-now", "purge-all-now")),
        *("dataset delete-now", "link redeem", "link confirm", "link refuse", "train confirm", "train decline"),
        *("admin broadcast-now", "admin moderate-approve", "admin moderate-reject"),
        *("admin costs", "admin decline", "admin failed", "admin payout", "admin priority", "payout again"),
        *("generation delete-now", "model delete-now"),
        *("dataset mend", "dataset mend-now"),
        *(f"dataset {verb}" for verb in ("attest", "attest-now", "withdraw", "withdraw-now")),
        *("moderation uphold", "moderation dismiss", "forget me-sure", "forget me-now"),
        *("caption confirm", "caption forbid", "train stop-now", "train extend-now"),
        *("caption apply", "caption drop", "character attest", "character delete-now"),
    }


@pytest.mark.parametrize("path", sorted(commands.discovered()))
def test_a_command_explains_itself(path: str) -> None:
    definition = commands.discovered()[path]

    assert definition.help.endswith(".")
    assert len(definition.help) <= 100
    assert definition.usage.startswith(path)
    assert all(isinstance(kind, Parameter) and kind.help for kind in definition.parameters.values())
    rests = [name for name, kind in definition.parameters.items() if kind.rest]
    assert len(rests) <= 1


def test_looking_at_registries_and_commands_does_not_bring_torch() -> None:
    names = "bots.commands, core.kinds, core.domain.recipes, worker.recipes, worker.kinds, config.catalogue"
    program = f"import sys, {names}; bots.commands.discovered(); core.kinds.discovered(); worker.recipes.names()"

    done = subprocess.run([sys.executable, "-c", f"{program}; sys.exit('torch' in sys.modules)"], check=False)

    assert done.returncode == 0
