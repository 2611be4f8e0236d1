"""Attachments as sources: streamed in chunks, the same file for every delivery, words for what cannot be had."""

import aiohttp
import pytest

from bots.discord.filing import CHUNK, Attached
from core.domain.errors import FileUnreadable
from tests.emulators.discord import Discord


async def test_an_attachment_is_read_in_chunks(discord: Discord) -> None:
    content = b"x" * (3 * CHUNK + 1)
    payload = discord.world.attach(discord.general, ("a.png", content))
    async with aiohttp.ClientSession() as session:
        source = Attached.of(payload, session)
        async with source.open() as chunks:
            sizes = [len(chunk) async for chunk in chunks]
    assert (sum(sizes), max(sizes) <= CHUNK) == (len(content), True)
    facts = (source.name, source.size, source.most, source.origin)
    assert facts == ("a.png", len(content), None, f"discord:{payload['id']}")
    assert "hm=" not in repr(source)


async def test_an_attachment_that_is_gone_is_said_in_words(discord: Discord) -> None:
    payload = discord.world.attach(discord.general, ("a.png", b"a"))
    async with aiohttp.ClientSession() as session:
        source = Attached.of({**payload, "url": payload["url"] + "0"}, session)
        with pytest.raises(FileUnreadable, match=r"Cannot read «a\.png»: Discord does not give it"):
            async with source.open():
                pass
