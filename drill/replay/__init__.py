"""A call history replayed: what each estimator would have told those callers, against what they had."""
