"""``rethink-det test``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['test', *sys.argv[1:]])
