"""The hands: the polling loop, the job kinds, adapters, and the training recipes. Only the latter know torch."""
