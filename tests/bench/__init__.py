"""What each piece of the desk costs; see docs/measurements.md."""
