"""Speed, measured by comparing within one run: ratios of CPU time, never a stop-watch against a promise."""
