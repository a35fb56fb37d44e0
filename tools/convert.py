"""``rethink-det convert``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['convert', *sys.argv[1:]])
