"""``rethink-det sweep``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['sweep', *sys.argv[1:]])
