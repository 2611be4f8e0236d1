"""The captioners that the settings provide, as everybody but a worker knows them."""

from pathlib import PurePath
from urllib.parse import urlsplit

from config.settings import Settings
from core.domain.captioner import Captioner


def captioners(settings: Settings) -> dict[str, Captioner]:
    """All captioners by name, also those for which something is missing."""
    host = urlsplit(settings.vision_url).hostname or settings.vision_url
    key = settings.vision_key.get_secret_value().strip() if settings.vision_key else ""
    vision = Captioner(
        name="vision",
        title=f"{settings.vision_model} at {host}",
        host=host,
        adult=settings.vision_adult,
        price=settings.vision_price,
        missing="" if key else "VISION_KEY",
    )
    local = Captioner(
        name="transformers",
        title=PurePath(settings.caption_model or "a model of your own").name,
        missing="" if settings.caption_model else "CAPTION_MODEL",
    )
    return {one.name: one for one in (Captioner(name="palette", title="colours only"), vision, local)}
