"""Where a model computes, in which number format and with how many threads; decided by pure functions."""

from dataclasses import dataclass
from typing import Self

import torch

SMALL = 50_000_000  # parameters; below, threads cost more than they bring


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A device and the number format of the frozen weights; adapters always train in fp32."""

    device: str
    dtype: torch.dtype

    @classmethod
    def best(cls, *, cuda: bool, bf16: bool) -> Self:
        """Choose: bf16 on a CUDA device that computes in it, fp16 on an older one, fp32 on a CPU."""
        if not cuda:
            return cls(device="cpu", dtype=torch.float32)
        return cls(device="cuda", dtype=torch.bfloat16 if bf16 else torch.float16)

    @classmethod
    def of_this_machine(cls) -> Self:
        """Choose for the machine this runs on."""
        cuda = torch.cuda.is_available()
        return cls.best(cuda=cuda, bf16=cuda and torch.cuda.is_bf16_supported(including_emulation=False))

    @property
    def is_mixed(self) -> bool:
        """Whether the weights are narrower than the adapters, so that computing needs autocast."""
        return self.dtype is not torch.float32

    def autocast(self) -> torch.autocast:
        """Return the context in which the model is to be called."""
        return torch.autocast(self.device, dtype=self.dtype if self.is_mixed else None, enabled=self.is_mixed)


def threads(parameters: int, *, cores: int) -> int:
    """Return how many CPU threads a model of this many parameters is worth."""
    return 1 if parameters < SMALL else cores
