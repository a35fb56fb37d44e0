"""What tests of locks ask of other processes, which import it from here: it is quick to import."""

import random
import time
from pathlib import Path

from rethink_det.report.run_lock import Lock, lock


def count_alone(folder, counter, times):
    """Add 1 to a number in a file so often, each time with the lock of a folder."""
    done = 0
    while done < times:
        with lock(Path(folder)) as held:
            if isinstance(held, Lock):
                inside = Path(f'{counter}.inside')
                inside.touch(exist_ok=False)
                number = int(Path(counter).read_text())
                time.sleep(0.001)
                Path(counter).write_text(str(number + 1))
                inside.unlink()
                done += 1
        time.sleep(random.random() / 50)
    return done
