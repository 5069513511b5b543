"""What can be started, and the only reader of the environment."""
