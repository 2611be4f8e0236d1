"""The captioner that runs on the worker itself: any image-to-text model of transformers, in a child process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import structlog

from config.settings import Settings
from worker.adapters.captioners import Captioner, CaptionerFailed, NotDescribed, scene_of
from worker.adapters.describing import Described, DescribingTask
from worker.bases import base_location
from worker.child import Child, ChildFailed

NEEDED = ("torch", "transformers")

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class TransformersCaptioner:
    """Hands one picture after the other to a child that keeps the model."""

    child: Child
    model: str
    concurrency: int = 1

    async def check(self) -> None:
        """Load the model.

        Raises:
            CaptionerFailed: It cannot be loaded; the log says why, and may name what is nobody's business.
        """
        if missing := [name for name in NEEDED if find_spec(name) is None]:
            words = f"This worker lacks {' and '.join(missing)}: `pip install 'loraguild[train]'`."
            raise CaptionerFailed(words)
        try:
            await self._called(DescribingTask(model=self.model))
        except ChildFailed as error:
            log.error("captioner.not_loaded", model=self.model, why=error.traceback)  # noqa: TRY400 - the child's is told
            words = "The model of CAPTION_MODEL cannot be loaded. The log of the worker says why."
            raise CaptionerFailed(words) from error

    async def caption(self, picture: Path) -> str:
        """Return what the model says.

        Raises:
            NotDescribed: It can make nothing of this picture.
        """
        try:
            return scene_of(await self._called(DescribingTask(model=self.model, picture=picture)))
        except ChildFailed as error:
            log.warning("picture.not_described", model=self.model, why=error.traceback)
            raise NotDescribed("The model could not describe this picture.") from error

    async def _called(self, task: DescribingTask) -> str:
        described: Described = await self.child.call("describe", task)
        return described.text


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Captioner]:
    """Give the captioner of the settings, with a child that ends with it.

    Raises:
        CaptionerFailed: This worker has no model.
    """
    if not settings.caption_model:
        raise CaptionerFailed("This worker has no CAPTION_MODEL. An operator has to set it for all workers.")
    async with Child("worker.adapters.describing:Describing") as child:
        yield TransformersCaptioner(child=child, model=base_location(settings.caption_model))
