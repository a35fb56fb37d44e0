"""``rethink-det predict``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['predict', *sys.argv[1:]])
