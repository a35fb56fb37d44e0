"""``rethink-det train``, as a script."""

import sys

from rethink_det.cli import main

if __name__ == '__main__':
    main(['train', *sys.argv[1:]])
