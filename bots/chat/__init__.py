"""The neutral half of every chat: parameters, definitions, replies, and the one dispatcher all adapters call."""
