"""The real client against the emulated Telegram, and what it sends."""

import io
from typing import Any

from PIL import Image
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import Application, ApplicationBuilder

from tests.emulators.telegram import Telegram


def a_picture(width: int = 40, height: int = 30, *, colour: str = "red") -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(kept, "PNG")
    return kept.getvalue()


def a_keyboard(text: str = "Go", data: str | None = "go", **facts: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=data, **facts)]])


def an_application(telegram: Telegram) -> Application[Any, Any, Any, Any, Any, Any]:
    made = ApplicationBuilder().token(telegram.token).base_url(f"{telegram.base}/bot")
    return made.base_file_url(f"{telegram.base}/file/bot").build()
