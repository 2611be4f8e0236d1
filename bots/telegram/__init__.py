"""Telegram: the same commands over python-telegram-bot, one conversation for whatever is missing."""
