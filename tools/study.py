"""``rethink-det study``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['study', *sys.argv[1:]])
