"""``rethink-det pack``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['pack', *sys.argv[1:]])
