"""``rethink-det init``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['init', *sys.argv[1:]])
