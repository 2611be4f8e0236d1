"""Images: pictures that workers have written, behind signed links, for pages to show on the spot."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from core.domain.artifact import Artifact
from core.ports.blobs import Blobs
from core.services.downloads import Downloads
from web.downloads import passed_on
from web.visiting import SERVICES

DAY = 24 * 60 * 60  # seconds


@dataclass(frozen=True, kw_only=True)
class ImageRoutes:
    """What lies under `/i/{token}`: nothing that a browser could take for a page."""

    downloads: Downloads
    blobs: Blobs

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/i/{token}", self.image, allow_head=False)]

    async def image(self, request: web.Request) -> web.StreamResponse:
        """The picture, which browsers keep for a day."""
        artifact = self.downloads.shown(request.match_info["token"])
        response = web.StreamResponse(headers=_headers(artifact))
        return await passed_on(request, response, self.blobs.open(artifact.sha256), size=artifact.size)


def image_link(request: web.Request, artifact: Artifact) -> str:
    """Where a page finds a picture: a path, as the page may be reached under several names."""
    return urlsplit(request.config_dict[SERVICES].downloads.picture(artifact)).path


def _headers(artifact: Artifact) -> dict[str, str]:
    return {
        "Cache-Control": f"private, max-age={DAY}, immutable",
        "Content-Length": str(artifact.size),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": artifact.media_type,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
