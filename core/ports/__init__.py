"""What core asks of the world: a store, blobs, a clock, ids. Others answer; core never asks who."""
