"""Worlds whose truth is known: fair ones, and ones with one inefficiency planted in them."""
