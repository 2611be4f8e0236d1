"""Where a request comes from, and with what: as far as anybody can tell."""

from urllib.parse import urlsplit

from aiohttp import web

from web.visiting import SERVICES

FORWARDED = "X-Forwarded-For"
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def caller(request: web.Request) -> str:
    """The address that asks. We speak no TLS, so where the pages have an https address, the nearest proxy names it."""
    named = request.headers.getall(FORWARDED, ())
    if named and urlsplit(request.config_dict[SERVICES].sessions.address).scheme == "https":
        return named[-1].rpartition(",")[2].strip()
    return request.remote or ""


def device(request: web.Request) -> str:
    """What somebody looks with, for them to recognise it: `Firefox on Linux`."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for sign, name in BROWSERS.items() if f"{sign}/" in agent), "A browser")
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), None)
    return f"{browser} on {system}" if system else browser
