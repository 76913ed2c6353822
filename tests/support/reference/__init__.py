"""Slow reference implementations of compiled code, written from the rules and not from that code."""
