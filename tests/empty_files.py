"""Files that only have to be there."""


def write_empty(folder, *names):
    """Empty files by those names below a folder, with the folders that they need."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('')
