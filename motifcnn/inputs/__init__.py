"""From the user's files to labelled, divided examples with their channels."""
