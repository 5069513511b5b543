"""Incidents and surges: measured, declared, deflected, followed up."""
