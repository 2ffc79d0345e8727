"""Exact score statistics and the engines that scan sequences with motifs."""
