"""The network: shared filters, blocks and heads."""
