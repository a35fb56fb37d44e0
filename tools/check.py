"""``rethink-det check``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['check', *sys.argv[1:]])
