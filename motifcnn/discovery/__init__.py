"""From trained filters to motifs, and what tests say of them."""
