"""Training the network and the linear models beside it, and measuring both."""
