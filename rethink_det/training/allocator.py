"""Memory that a training step frees, kept for the next one."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's <malloc.h>
_KEPT, _LARGEST = 2**31 - 1, 2**30  # the most that an int holds; above a GiB as before


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, instead of giving it back to the system.

    glibc takes blocks above 32 MiB from the system one by one, whatever the program did before,
    and each comes as pages that are filled with zeros when they are first touched. Activations
    of VGG-16 at batch 128 are that large: a tenth of a training step on a CPU went there. The
    process then stays as large as it ever was, and results do not change.

    Returns:
        Whether it was possible: glibc alone has this setting.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False
    return all([mallopt(_TRIM_THRESHOLD, _KEPT), mallopt(_MMAP_THRESHOLD, _LARGEST)])
