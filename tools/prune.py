"""``rethink-det prune``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['prune', *sys.argv[1:]])
