"""``rethink-det card``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['card', *sys.argv[1:]])
