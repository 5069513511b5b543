"""A simulated centre, without doors or Redis, in which the estimator is tuned and held to its rivals."""
