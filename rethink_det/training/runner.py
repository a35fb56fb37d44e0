"""MMEngine's runner with a console of one screen, and folders that can be moved."""

import logging
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

from rethink_det.compat.quiet import is_verbose
from rethink_det.training.written_config import write_config

_IN_THE_FILE = (
    'Config:\n',
    'Hooks will be executed in the following order',
    'Exp name: ',
    'Distributed training is not used, all SyncBatchNorm',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias of',
)
"""How messages begin that are long or say nothing to act on."""
_ENVIRONMENT = '\nSystem environment:'


class BriefConsole(logging.Filter):
    """Lets through what one looks for on a screen; the log file has all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is shown."""
        message = record.getMessage()
        return not message.startswith(_IN_THE_FILE) and _ENVIRONMENT not in message


class BriefRunner(Runner):
    """A runner that tells the console what goes on, and its folder everything.

    System, config and hooks stand in the log file; on the console as well where
    ``RETHINK_DET_VERBOSE`` is set, as ``--verbose`` does. The config in the folder is that of
    :func:`~rethink_det.training.written_config.write_config`.
    """

    def build_logger(self, *args: Any, **settings: Any) -> MMLogger:
        """As the runner's, brief on the console."""
        logger = super().build_logger(*args, **settings)
        if not is_verbose():
            for handler in logger.handlers:
                if not isinstance(handler, logging.FileHandler):
                    handler.addFilter(BriefConsole())
        return logger

    def dump_config(self) -> None:
        """Write the config under its own name into the work dir, in the main process."""
        if self.rank == 0:
            name = Path(self.cfg.filename or f'{self.timestamp}.py').name
            write_config(self.cfg, Path(self.work_dir) / name)


class EvaluationRunner(BriefRunner):
    """One that leaves the config of the training in the work dir as it is."""

    def dump_config(self) -> None:
        """Write nothing: the folder of this evaluation's log has its config."""
