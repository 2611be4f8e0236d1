"""The console: the same commands in a terminal, so that everyone can try the bot without any token."""
