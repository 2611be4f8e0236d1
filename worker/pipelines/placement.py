"""Where a model computes, in which number format and with how many threads; decided by pure functions."""

from dataclasses import dataclass, replace
from typing import Self

import torch

from core.domain.adaptation import Compute

DTYPES = {Compute.BF16: torch.bfloat16, Compute.FP16: torch.float16, Compute.FP32: torch.float32}
SMALL = 50_000_000  # parameters; below, threads cost more than they bring, and so does a call of its own
WIDE = 100  # multiprocessors of a device that one picture leaves idle
LANES = 4


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

    def computing(self, wished: Compute) -> Self:
        """Return the same device with the number format that is wished for."""
        dtype = DTYPES.get(wished)
        return replace(self, dtype=dtype) if dtype else self

    @property
    def multiprocessors(self) -> int:
        """How many multiprocessors the device has; a CPU has none."""
        return torch.cuda.get_device_properties(self.device).multi_processor_count if self.device == "cuda" else 0

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


def lanes(parameters: int, *, multiprocessors: int) -> int:
    """Return how many pictures a model of this many parameters makes at once, where it costs hardly more than one.

    Always so many, whoever ordered them: the last bits of a picture depend on the size of the call that makes it.
    """
    return LANES if parameters < SMALL or multiprocessors >= WIDE else 1
