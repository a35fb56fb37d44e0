"""All of mmdet's own configs, without their data: a size of their images, or the reason."""

from pathlib import Path

import mmdet
import pytest
from mmengine.config import Config

from rethink_det.detection.measuring.input_size import input_size
from rethink_det.errors import UserError

FOLDER = Path(mmdet.__file__).parent / '.mim' / 'configs'
REASONS = {
    'the size of an image is kept, and no image is at hand': ('centernet', 'centripetal', 'corner'),
    'the config has no data': ('clrnet',),  # a model alone
    'data_preprocessor cannot be built': ('reid',),  # no detectors, and of another package
}


def detectors():
    """Configs with a backbone, by name; those that the installed packages cannot read left out.

    So are those that others are made of, which are no whole configs.
    """
    for path in sorted(FOLDER.rglob('*.py')):
        if '_base_' in path.parts:
            continue
        try:
            config = Config.fromfile(path, import_custom_modules=False)
        except (OSError, ImportError):
            continue
        if (config.get('model') or {}).get('backbone'):
            yield path.relative_to(FOLDER).as_posix(), config


@pytest.mark.slow
def test_every_size_is_told_or_the_reason_is():
    known, untold = {}, {}
    for name, config in detectors():
        of_it = [name for name in config if name.endswith(('_dataloader', '_pipeline'))]
        of_it += ['default_scope', 'data_preprocessor']
        text = str([config.get(one) for one in of_it] + [config.model.get('data_preprocessor')])
        if text not in known:
            known[text] = told(config)
        shape, reason = known[text]
        assert (shape is None) != (reason is None)
        if shape is None:
            untold[name] = reason
        else:
            assert shape[0] == 3 and min(shape) > 0 and max(shape) < 2500, name
    assert len(known) > 100
    for name, reason in untold.items():
        folders = next(folders for text, folders in REASONS.items() if text in reason)
        assert name.startswith(folders), (name, reason)
    assert len(untold) < 15


def told(config):
    try:
        return input_size(config).shape, None
    except UserError as error:
        return None, str(error)
