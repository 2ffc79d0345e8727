"""Readers and writers of file formats; no tensors in here."""
