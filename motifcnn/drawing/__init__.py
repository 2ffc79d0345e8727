"""Sequence logos."""
