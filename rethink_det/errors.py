"""The one exception a user's mistake raises, and any exception in a line."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class UserError(ValueError):
    """A mistake in the user's input: a file, a key, a value.

    The message names the file, the key and the remedy. Commands print it
    without a traceback and exit with :attr:`status`.

    Attributes:
        status: Exit status of a command that it ends.
    """

    status: ClassVar[int] = 2


class DivergedError(UserError):
    """A training whose loss or weights are not finite: what was asked was done, and failed."""

    status = 1


@contextmanager
def naming(where: str) -> Iterator[None]:
    """In it, messages of users' mistakes begin with a file or key, unless they do so already.

    ``in net.py: ...`` and ``The study.yaml ...`` do: a word may stand in front.
    """
    try:
        yield
    except UserError as error:
        if re.match(rf'(\w+ )?{re.escape(where)}(?!\w)', str(error)):
            raise
        raise type(error)(f'{where}: {error}') from error


def in_one_line(error: BaseException) -> str:
    """What went wrong: the first line of the message, and unless it is for users, the kind."""
    text = (str(error).splitlines() or [''])[0]
    if isinstance(error, UserError):
        return text.rstrip('.')
    return f'{type(error).__name__}: {text}' if text else type(error).__name__


LONGEST, LONGEST_TEXT = 80, 255
"""Characters of a value that a message shows; of a text more, as it may be the path of a file."""


def shown(value: object) -> str:
    """A value as a message shows it: in one line, shortened if it is long."""
    try:
        text = ' '.join(repr(value).split())
    except Exception:  # a whole number of more than 4300 digits, or an object's own mistake
        text = f'some {type(value).__name__} that cannot be shown'
    most = LONGEST_TEXT if isinstance(value, str) else LONGEST
    return text if len(text) <= most else f'{text[: most - 3]}...'


_REMEDIES = {
    errno.ENOSPC: 'free some space, and run the same command again',
    errno.EDQUOT: 'free some space, and run the same command again',
    errno.EFBIG: 'raise the limit of file sizes (ulimit -f), and run the same command again',
    errno.EROFS: 'name a place that can be written',
    errno.EACCES: 'name a place that you may use, or change its permissions',
    errno.EPERM: 'name a place that you may use, or change its permissions',
    errno.ENAMETOOLONG: 'give it a shorter name',
    errno.EISDIR: 'name a file',
    errno.ENOTDIR: 'a part of the path is a file: name another one',
    errno.EEXIST: 'name another place, or remove what is there',
    errno.EMFILE: 'raise the limit of open files (ulimit -n), or take fewer workers',
    errno.EIO: 'the disk may be damaged',
}
"""What can be done about an error of the operating system."""


def refused_by_system(error: OSError) -> str:
    """What the operating system refused, of which file, and what can be done about it."""
    if error.errno is None:  # raised by hand, or carried here from another process
        lines = [line for line in str(error).splitlines() if line.strip()]
        return lines[-1].strip() if lines else type(error).__name__
    places = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = f'{places[0]}: ' if places else ''
    remedy = _REMEDIES.get(error.errno)
    return f'{where}{error.strerror or type(error).__name__}' + (f' ({remedy})' if remedy else '')
