"""Bad days and quiet ones, written down: each TOML file here is a scenario, ``written`` is their format."""
