"""Slow plain-Python twins of compiled code, written from the rules and not from that code."""
