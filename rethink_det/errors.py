"""The one exception a user's mistake raises, and any exception in a line."""


class UserError(ValueError):
    """A mistake in the user's input: a file, a key, a value.

    The message names the file, the key and the remedy. Commands print it
    without a traceback and exit with status 2.
    """


def in_one_line(error: BaseException) -> str:
    """What went wrong: the first line of the message, and unless it is for users, the kind."""
    text = (str(error).splitlines() or [''])[0]
    if isinstance(error, UserError):
        return text.rstrip('.')
    return f'{type(error).__name__}: {text}' if text else type(error).__name__
