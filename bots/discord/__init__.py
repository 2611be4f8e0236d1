"""Discord: the commands as app commands, buttons, forms and cards, over discord.py."""
