"""The front door: the command line, the composition root, the process supervisor."""
