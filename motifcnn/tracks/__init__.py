"""What a trained network answers to where along sequences and genomes."""
