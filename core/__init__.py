"""The domain of LoraGuild: nouns and rules, ports, job kinds and use cases. Knows nothing outside it."""
