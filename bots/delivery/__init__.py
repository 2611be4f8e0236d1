"""Delivery: cards and notices brought to any chat, by whichever process comes first."""
