"""Promises to ring back, and the keeping of them."""
