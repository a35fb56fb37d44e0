"""The one exception a user's mistake raises."""


class UserError(ValueError):
    """A mistake in the user's input: a file, a key, a value.

    The message names the file, the key and the remedy. Commands print it
    without a traceback and exit with status 2.
    """
