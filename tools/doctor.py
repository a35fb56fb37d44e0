"""``rethink-det doctor``, as a script; without MMEngine it says so and what to install."""

import sys

try:
    from rethink_det.cli import main
except ImportError as error:  # the package's own words, or the name of what is not installed
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)

if __name__ == '__main__':
    main(['doctor', *sys.argv[1:]])
