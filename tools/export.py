"""``rethink-det export``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['export', *sys.argv[1:]])
