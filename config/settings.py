"""Settings from the environment and `.env`; `.env.example` documents each."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.domain.errors import ConsoleNotTrusted


class Settings(BaseSettings):
    """Everything an operator may choose. Names are those of the environment in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    mongodb_uri: str | None = Field(default=None, description="A MongoDB replica set; the embedded database if unset")
    mongodb_database: str = Field(default="loraguild", description="The database on that server")
    data_folder: Path = Field(default=Path("data"), description="The embedded database and local files")
    admins: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset({"console:root"}), description="The first admins: console:root,discord:1234,…"
    )
    console_trusted: bool = Field(default=False, description="Let the console speak as anyone on a shared MongoDB")
    daily_points: int = Field(default=100, ge=0, description="Points refill to this amount every day")
    royalty_daily_cap: int = Field(default=500, ge=0, description="Qoints that one person's pictures earn others a day")
    royalty_holding_days: int = Field(default=30, ge=0, description="Days until royalties can be spent or paid out")
    payout_minimum: int = Field(default=1000, ge=1, description="The least qoints that are paid out")
    payout_four_eyes: int = Field(default=10_000, ge=0, description="Above this in 30 days a payout takes two admins")
    quota_mb: int = Field(default=5120, ge=1, description="How much one person may store, in MB")
    quota_items: int = Field(default=500_000, ge=1, description="How many pictures and conversations one may store")
    retention_days: int = Field(default=30, ge=0, description="Days until what was deleted is gone for good")
    epochs_days: int = Field(default=90, ge=1, description="Days until epochs go where their owner has chosen none")
    captioner: str = Field(default="palette", description="Who describes pictures: palette, vision or transformers")
    vision_url: str = Field(default="https://api.x.ai/v1", description="An OpenAI-compatible API that sees pictures")
    vision_model: str = Field(default="grok-4", description="The model of that API")
    vision_key: SecretStr | None = Field(default=None, description="The key of that API; without one it is not offered")
    vision_timeout: float = Field(default=60.0, gt=0, description="Seconds to wait for one description")
    vision_concurrency: int = Field(default=4, ge=1, le=64, description="Pictures that are described at a time")
    vision_price: int = Field(default=0, ge=0, description="What one description costs, in points")
    vision_adult: bool = Field(default=False, description="Whether that API may be sent pictures for adults")
    caption_model: str | None = Field(default=None, description="A local image-to-text model: a folder or hub id")
    caption_tokenizer: str = Field(default="package:tiny-sd", description="Whose tokens captions are counted in")
    conversation_tokenizer: str | None = Field(
        default=None, description="Whose tokens conversations are counted in: a folder or hub id; estimated if unset"
    )
    dropbox_app_key: str | None = Field(default=None, description="The key of your Dropbox app, for exports to there")
    offerings_folder: Path | None = Field(default=None, description="Further offerings: TOML files")
    base_models: dict[str, str] = Field(
        default_factory=dict, description='Base id → local folder or hub id: {"sd15": "/models/sd15"}'
    )
    worker_labels: Annotated[tuple[str, ...], NoDecode] = Field(default=(), description="What a worker has: gpu,…")
    worker_memory_mb: int = Field(default=4096, ge=256, description="Memory for looking into untrusted files")
    checkpoint_seconds: float = Field(default=30.0, gt=0, description="How often a training keeps where it stands")
    discord_token: SecretStr | None = Field(default=None, description="The Discord bot's token")
    discord_api_url: str | None = Field(default=None, description="Another address of Discord's API")
    discord_client_id: str | None = Field(default=None, description="The Discord application that people sign in with")
    discord_client_secret: SecretStr | None = Field(default=None, description="Its secret")
    telegram_token: SecretStr | None = Field(default=None, description="The Telegram bot's token")
    telegram_bot_name: str | None = Field(default=None, description="The bot's name, to sign in with Telegram's widget")
    telegram_api_url: str | None = Field(default=None, description="Your own Bot API server, which takes larger files")
    telegram_webhook_url: str | None = Field(default=None, description="Where Telegram reaches us; polling if unset")
    telegram_webhook_port: int = Field(default=8643, ge=0, le=65535, description="Where the webhook listens")
    secret_key: SecretStr | None = Field(default=None, description="Signs links; ID:KEY,ID:KEY to rotate")
    public_url: str | None = Field(default=None, description="Where people reach the pages")
    web_host: str = Field(default="127.0.0.1", description="Where the pages listen")
    web_port: int = Field(default=8642, ge=0, le=65535, description="Where the pages listen")
    webhook_allow_local: bool = Field(default=False, description="Let webhooks lead to this machine, for development")
    metrics_host: str = Field(default="127.0.0.1", description="Where a worker's metrics listen")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="Where they listen; 0: nowhere")
    metrics_token: SecretStr | None = Field(default=None, description="What Prometheus shows the pages' /metrics")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(default=False, description="Log as JSON lines")

    @field_validator("admins", mode="before")
    @classmethod
    def _set(cls, value: object) -> object:
        return frozenset(_listed(value)) if isinstance(value, str) else value

    @field_validator("worker_labels", mode="before")
    @classmethod
    def _tuple(cls, value: object) -> object:
        return tuple(_listed(value)) if isinstance(value, str) else value

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one."""
        return self.mongodb_uri is None

    @property
    def address(self) -> str:
        """Where people reach the pages, without a slash at the end."""
        return (self.public_url or f"http://{self.web_host}:{self.web_port}").rstrip("/")

    @property
    def tokens(self) -> dict[str, str | None]:
        """The tokens by bot; None for a bot that has none."""
        found = {"discord": self.discord_token, "telegram": self.telegram_token}
        return {bot: (token.get_secret_value().strip() or None) if token else None for bot, token in found.items()}

    def require_console(self) -> Self:
        """Let the console pass.

        Raises:
            ConsoleNotTrusted: The database is shared and nobody has said that this console may be anyone.
        """
        if not (self.embedded or self.console_trusted):
            raise ConsoleNotTrusted
        return self


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
