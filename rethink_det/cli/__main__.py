"""``python -m rethink_det.cli``: the same as ``rethink-det``."""

from rethink_det.cli import main

if __name__ == '__main__':
    main()
