"""Words and their pacing: what is said to a caller, in which language, and when."""
