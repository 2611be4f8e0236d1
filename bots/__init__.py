"""Chats: commands defined once, and one rendering of them per platform."""
