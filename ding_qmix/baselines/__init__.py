"""Scripted policies and their evaluation."""
