"""Ways to sign in that other platforms vouch for; each is there where its operator has set it up."""

from dataclasses import dataclass
from typing import Self

from config.settings import Settings
from web.logins.discord import Discord
from web.logins.telegram import Telegram


@dataclass(frozen=True, kw_only=True)
class Logins:
    """The platforms."""

    discord: Discord | None = None
    telegram: Telegram | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings."""
        client, secret, token = settings.discord_client_id, settings.discord_client_secret, settings.tokens["telegram"]
        discord = Discord(client=client, secret=secret.get_secret_value()) if client and secret else None
        if discord and settings.discord_api_url:
            discord = Discord(client=discord.client, secret=discord.secret, api=settings.discord_api_url)
        telegram = (
            Telegram(bot=settings.telegram_bot_name, token=token) if settings.telegram_bot_name and token else None
        )
        return cls(discord=discord, telegram=telegram)
