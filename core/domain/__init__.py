"""Nouns and rules: frozen values and pure functions. A feature knows only what it builds on."""
