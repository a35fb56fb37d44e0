"""``rethink-det baseline``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['baseline', *sys.argv[1:]])
