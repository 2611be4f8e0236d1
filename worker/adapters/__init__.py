"""What a worker uses of the world outside its own process: pictures, archives, captioners. Torch only in describing."""
