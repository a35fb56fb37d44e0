"""What MMEngine writes is there as a whole or not at all, as this package's own files are.

Its own way is to open a file and write: a full disk, or a kill, leaves half a checkpoint under
the name of a whole one.
"""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from rethink_det.files import replacing


@register_backend('local', force=True, prefixes='')
class WholeFilesBackend(LocalBackend):
    """MMEngine's backend of local files, which writes whole ones alone."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        with replacing(filepath) as file:
            file.write(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text."""
        self.put(obj.encode(encoding), filepath)
