"""What ``rethink-det check`` does."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.cost import Cost
from rethink_det.classification.arm_config import classifier_architecture, is_classifier
from rethink_det.classification.check_images import folder_pictures
from rethink_det.cli.train import configured, look_at_data
from rethink_det.datasets.similar_pictures import lookalikes
from rethink_det.detection.datasets.check_data import part_pictures
from rethink_det.detection.datasets.data_report import data_report
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.layout import SAMPLES
from rethink_det.training.config import check_optimizer
from rethink_det.training.rehearsal import rehearse
from rethink_det.training.sample_sheet import save_sheet

_MIB = 2**20


def run(options: argparse.Namespace) -> int:
    """Check; print what a training would start from."""
    config = configured(options)
    look_at_data(config)
    check_model(config)
    check_optimizer(config)
    told = (*data_report(config), *_lookalikes(config), *_weights(config), *_cost(config))
    for line in told:
        print(line)
    if options.no_step:
        print('The files fit together; weights were not loaded, and no step was done.')
        return 0
    _rehearse(config)
    print('A training can start.')
    return 0


def _lookalikes(config: Config) -> Iterator[str]:
    """Pictures that are judged, and look like some that are trained on."""
    pictures = folder_pictures if is_classifier(config) else part_pictures
    train = pictures(config, 'train')
    held = {split: pictures(config, split) for split in ('val', 'test')}
    for split in held if held['val'] != held['test'] else ('val',):
        if not set(held[split]) <= set(train):  # a part that is held out of them
            yield from lookalikes(held[split], train, split)


def _weights(config: Config) -> Iterator[str]:
    """Where every weight comes from that is not drawn at random."""
    found = []
    for hook in config.get('custom_hooks') or ():
        if hook.get('checkpoint'):
            found.append(f'{hook["type"]} {hook["checkpoint"]}')
    for place, part in (('model', config.model), ('model.backbone', config.model.get('backbone'))):
        initial = (part or {}).get('init_cfg') or {}
        if isinstance(initial, dict) and initial.get('checkpoint'):
            found.append(f'{place}.init_cfg {initial["checkpoint"]}')
        if (part or {}).get('pretrained'):
            found.append(f'{place}.pretrained {part["pretrained"]}')
    if config.get('load_from'):
        found.append(f'load_from {config.load_from}')
    yield f'weights: {"; ".join(found) or "none is given"}; the others are drawn at random'


def _cost(config: Config) -> Iterator[str]:
    if is_classifier(config):
        cost = classifier_architecture(config).cost()
        yield f'cost: {_told(cost)}'
        return
    whole = detector_cost(config)
    yield f'cost: {_told(whole.whole)}; of the backbone {_told(whole.backbone)}'


def _told(cost: Cost) -> str:
    return f'{cost.params / 1e6:.2f} M parameters, {cost.macs / 1e9:.2f} G MACs'


def _rehearse(config: Config) -> None:
    """A step, an evaluation, a picture; say what came of them."""
    found = rehearse(config)
    losses = ', '.join(f'{name} {value:.3g}' for name, value in found.losses.items())
    print(f'one step: {losses}; at most {found.peak_bytes / _MIB:.0f} MiB of memory')
    metrics = ', '.join(f'{name} {value}' for name, value in found.metrics.items())
    print(f'evaluated on a few images: {metrics or "nothing"}')
    path = Path(config.work_dir) / SAMPLES
    bgr = not is_classifier(config)
    save_sheet(found.batch, found.classes, path, bgr)
    print(f'what the network is handed: {path}')
