"""The whole state of an optimizer goes into a checkpoint and back, however the library packs it."""

from typing import Any

import torch

from worker.pipelines import optimizers


class Packing(torch.optim.AdamW):
    """Packs a part of its state into a mapping, as bitsandbytes does with what is quantized."""

    def state_dict(self) -> dict[str, Any]:
        whole = super().state_dict()
        packed = {
            number: {"step": held["step"], "packed": {name: held[name] for name in held if name != "step"}}
            for number, held in whole["state"].items()
        }
        return {**whole, "state": packed}


def stepped(optimizer: torch.optim.Optimizer, weight: torch.nn.Parameter) -> torch.Tensor:
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return weight.detach().clone()


def a_weight() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.arange(3.0))


def test_state_that_is_packed_comes_back_whole() -> None:
    weight, again = a_weight(), a_weight()
    packing, plain = Packing([weight], lr=0.1), torch.optim.AdamW([again], lr=0.1)
    begun = stepped(packing, weight)
    tensors, rest = optimizers.state(packing)
    with torch.no_grad():
        again.copy_(begun)

    optimizers.restore(plain, {name: tensor.clone() for name, tensor in tensors.items()}, rest)

    assert sorted(tensors) == ["0.exp_avg", "0.exp_avg_sq", "0.step"]
    assert torch.equal(stepped(plain, again), stepped(packing, weight))


def test_moments_of_another_kind_are_begun_anew() -> None:
    weight, again = a_weight(), a_weight()
    tensors = {"0.state1": torch.zeros(3, dtype=torch.uint8)}
    plain, fresh = torch.optim.AdamW([weight], lr=0.1), torch.optim.AdamW([again], lr=0.1)

    optimizers.restore(plain, tensors, '{"state": {}, "groups": []}')

    assert torch.equal(stepped(plain, weight), stepped(fresh, again))
