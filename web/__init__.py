"""The web: pages and downloads that chats link to."""
