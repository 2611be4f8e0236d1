"""Telegram: the commands as a conversation with inline keyboards, over python-telegram-bot."""
