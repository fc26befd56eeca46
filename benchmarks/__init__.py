"""Timings, each against the reference method rebuilt in `reference`."""
