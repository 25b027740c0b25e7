"""Reads of what the exchange showed us, as core values and plain figures, never as rows."""
