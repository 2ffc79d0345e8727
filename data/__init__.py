"""Small real data sets that ship with motifcnn; README.md tells where they come from."""
