"""A trained network on other sequences and on variants."""
