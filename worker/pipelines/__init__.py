"""What the torch child does: load a base, train an adapter on it, make pictures with it."""
