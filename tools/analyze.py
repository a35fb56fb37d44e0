"""``rethink-det analyze``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['analyze', *sys.argv[1:]])
