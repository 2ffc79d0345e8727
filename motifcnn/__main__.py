"""`python -m motifcnn`: the command line, which `torchrun -m motifcnn …` starts in several processes."""

from importlib.metadata import entry_points

if __name__ == "__main__":
    # by its entry point, because the library does not know the command line
    (_entry,) = entry_points(group="console_scripts", name="motifcnn")
    _entry.load()()
