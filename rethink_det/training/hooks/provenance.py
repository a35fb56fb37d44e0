"""Every checkpoint says what it is and where it comes from."""

import hashlib
from importlib.metadata import PackageNotFoundError, version

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture.input_convention import KEY, InputConvention
from rethink_det.registry import HOOKS
from rethink_det.training.model import architecture_of, model_of

PACKAGES = (
    'rethink-det', 'torch', 'torchvision', 'torch-pruning',
    'mmengine', 'mmdet', 'mmcv-lite', 'mmcv',
    'onedl-mmengine', 'onedl-mmdetection', 'onedl-mmcv',
)  # fmt: skip


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Write ``architecture``, ``input_convention`` and ``provenance`` into every ``meta``.

    With the first a checkpoint rebuilds its own network; the second says how its images are
    normalised (:mod:`~rethink_det.architecture.input_convention`); the third holds the config's
    digest, the seed, the training data and the versions, beside whatever other hooks
    (:class:`TransferHook`) know about the arm.
    """

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the entries."""
        model = model_of(runner)
        architecture = architecture_of(model)
        meta = checkpoint['meta']
        if architecture is not None:
            meta['architecture'] = architecture.to_dict()
        convention = InputConvention.of(getattr(model, 'data_preprocessor', None))
        if convention is not None:
            meta[KEY] = convention.to_dict()
        dataset = runner.train_dataloader.dataset
        meta.setdefault('provenance', {}).update(
            config_digest=config_digest(runner.cfg),
            seed=runner.seed,
            data=f'{type(dataset).__name__} of {len(dataset)} images',
            versions=versions(),
        )


def config_digest(config: Config) -> str:
    """SHA-256 over the config's text, but for where and under what name it is shown; 16 digits."""
    left_out = ['work_dir', 'resume', 'experiment_name', 'visualizer']
    if config.get('resume'):
        left_out.append('load_from')  # where it was interrupted makes no other run of it
    content = {k: v for k, v in config.to_dict().items() if k not in left_out}
    return hashlib.sha256(Config(content).pretty_text.encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Installed versions of the packages that a result depends on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
