"""Configuration: typed settings from the environment, offerings from TOML files."""
