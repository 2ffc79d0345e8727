"""The command line: parses, calls the library, speaks to people; no science."""
