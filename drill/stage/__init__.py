"""A whole day of the real application in one process, on a clock that jumps from event to event."""
