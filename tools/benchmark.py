"""``rethink-det benchmark``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['benchmark', *sys.argv[1:]])
