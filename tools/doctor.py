"""``rethink-det doctor``, as a script; without MMEngine it says so and what to install."""

import sys

if __name__ == '__main__':
    try:
        from rethink_det.cli import main

        main(['doctor', *sys.argv[1:]])
    except ImportError as error:  # the package's own words, or the name of what is not installed
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
