"""``rethink-det report``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['report', *sys.argv[1:]])
