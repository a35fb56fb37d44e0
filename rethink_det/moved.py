"""Import paths of the last release: they work for one more, with a warning that names the new.

``import rethink_det.study.results`` gives the module ``rethink_det.report.results`` itself, so
a class is the same under both names. A line goes one release after it came.
"""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec('P')
T = TypeVar('T')
PACKAGE = 'rethink_det.'
MOVED = {
    'architecture.foreign': 'convert',
    'architecture.foreign.convert': 'convert.conversion',
    'architecture.foreign.efficientnet': 'convert.efficientnet',
    'architecture.foreign.history': 'convert.torch_pruning',
    'architecture.foreign.mmrazor': 'convert.mmrazor',
    'architecture.foreign.names': 'convert.tensor_names',
    'architecture.foreign.parents': 'convert.known_networks',
    'architecture.foreign.selections': 'convert.network_slimming',
    'architecture.foreign.subnet': 'convert.subnet',
    'architecture.foreign.widths': 'convert.tensor_shapes',
    'architecture.foreign.zeros': 'convert.unstructured',
    'architecture.onnx': 'export.onnx',
    'classification.arms': 'classification.arm_config',
    'architecture.masks': 'architecture.weight_masks',
    'architecture.norms': 'architecture.norm_roles',
    'architecture.reading': 'architecture.loading',
    'architecture.scales': 'architecture.structure_scales',
    'architecture.selection': 'architecture.input_selection',
    'architecture.spec': 'architecture.pruned_architecture',
    'classification.cifar_resnet': 'classification.backbones.cifar_resnet',
    'classification.densenet': 'classification.backbones.densenet',
    'classification.initial_weights': 'classification.backbones.conv_init',
    'classification.preact_block': 'classification.backbones.preact_block',
    'classification.preact_resnet': 'classification.backbones.preact_resnet',
    'classification.preresnet': 'classification.backbones.preresnet',
    'classification.timm_backbone': 'classification.backbones.timm_backbone',
    'classification.vgg': 'classification.backbones.vgg',
    'cli.benchmark_coco': 'benchmark.coco',
    'cli.benchmark_detector': 'benchmark.detector',
    'cli.benchmark_peer': 'benchmark.plain_pytorch',
    'cli.benchmark_prune': 'benchmark.prune',
    'cli.benchmark_runner': 'benchmark.runner',
    'cli.benchmark_scenes': 'benchmark.scenes',
    'cli.benchmark_together': 'benchmark.packed',
    'cli.benchmark_train': 'benchmark.train',
    'cli.benchmark_workload': 'benchmark.workload',
    'cli.checks': 'doctor',
    'cli.checks.data': 'doctor.data',
    'cli.checks.finding': 'doctor.finding',
    'cli.checks.hardware': 'doctor.hardware',
    'cli.checks.operators': 'doctor.operators',
    'cli.checks.software': 'doctor.software',
    'cli.export_subjects': 'export.networks',
    'cli.prune_subjects': 'study.trained_networks',
    'cli.timing': 'benchmark.timing',
    'datasets.atomic': 'datasets.atomic_folder',
    'datasets.progress': 'datasets.progress_bar',
    'detection.adapt': 'detection.transfer.adapt',
    'detection.adapted': 'transfer.adapted',
    'detection.backbone_arguments': 'transfer.backbone_arguments',
    'detection.feature_maps': 'transfer.feature_maps',
    'detection.arms': 'arms',
    'detection.check_model': 'detection.transfer.check_model',
    'detection.datasets.annotations': 'detection.datasets.annotation_file',
    'detection.datasets.batches': 'detection.datasets.detection_batches',
    'detection.datasets.check': 'detection.datasets.check_data',
    'detection.datasets.check_voc': 'detection.datasets.voc_part',
    'detection.datasets.voc': 'detection.datasets.voc_devkit',
    'detection.datasets.wrappers': 'datasets.wrappers',
    'detection.evaluation.metric': 'detection.evaluation.coco_metric',
    'detection.inputs': 'transfer.normalisation',
    'detection.lookup': 'registered',
    'detection.maps': 'transfer.feature_maps',
    'detection.measuring.facts': 'detection.measuring.detector',
    'detection.measuring.memory': 'detection.measuring.peak_memory',
    'detection.onnx': 'export.detector',
    'detection.prune': 'detection.pruning',
    'detection.readers': 'detection.transfer.in_channels',
    'detection.runtime': 'transfer.backbone_settings',
    'detection.settings': 'transfer.settings',
    'detection.shared_head': 'detection.transfer.shared_head',
    'detection.trained': 'detection.load_detector',
    'detection.two_stage': 'export.rcnn_graph',
    'detection.transfer.backbone_settings': 'transfer.backbone_settings',
    'detection.transfer.normalisation': 'transfer.normalisation',
    'detection.transfer.pretrained': 'transfer.pretrained',
    'detection.transfer.settings': 'transfer.settings',
    'pruning.base': 'pruning.pruner',
    'pruning.batches': 'pruning.image_batches',
    'pruning.data': 'pruning.image_batches',
    'pruning.evidence': 'pruning.sample_statistics',
    'pruning.threshold': 'pruning.ranking',
    'study.compute': 'report.training_compute',
    'study.compute_plot': 'report.plots.compute',
    'study.contact_sheet': 'report.contact_sheet',
    'study.curves_plot': 'report.plots.curves',
    'study.detection_tables': 'report.detector_tables',
    'study.detector_facts': 'study.detector_measurements',
    'study.evidence': 'report.run_files',
    'study.figures': 'report.plots.style',
    'study.latency_plot': 'report.plots.latency',
    'study.plan': 'study.config',
    'study.plots': 'report.plots.arms',
    'study.progress': 'study.display',
    'study.report': 'report.page',
    'study.results': 'report.results',
    'study.sections': 'report.sections',
    'study.statistics': 'report.statistics',
    'study.tables': 'report.tables',
    'study.transfer_table': 'report.transfer_table',
    'study.units': 'report.units',
    'study.verdict': 'report.verdict',
    'training.data': 'training.training_batches',
    'training.history': 'training.lazy_history',
    'training.input_convention': 'architecture.input_convention',
    'training.memory': 'training.allocator',
}
"""Where a module was and where it is, both below ``rethink_det``; whoever moves one adds it."""
RENAMED = {'architecture.foreign': {'convert': 'convert_checkpoint'}}
"""By a package that moved, what is called otherwise in its new place."""


class MovedFinder(MetaPathFinder):
    """Finds the modules of :data:`MOVED`, where nobody else finds one of that name."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """A spec for an old name; None, i.e. "not mine", for every other."""
        old = fullname.removeprefix(PACKAGE)
        if old == fullname or old not in MOVED:
            return None
        new = PACKAGE + MOVED[old]
        is_package = any(name.startswith(f'{old}.') for name in MOVED)
        loader = _MovedLoader(new, is_package)
        return ModuleSpec(fullname, loader, origin=new, is_package=is_package)


class _MovedLoader(Loader):
    """Puts the new module in the old one's place.

    A package stays a module of its own that has the new one's names: were it the new package,
    Python would look for the old submodules among the new files and load those twice.
    """

    def __init__(self, new: str, is_package: bool) -> None:
        self.new, self.is_package = new, is_package

    def exec_module(self, module: ModuleType) -> None:
        old = module.__name__
        warnings.warn(
            f'{old} is now {self.new}; the old path goes with the next release.',
            DeprecationWarning,
            stacklevel=2,
        )
        if self.is_package:
            names = RENAMED.get(old.removeprefix(PACKAGE), {})
            vars(module)['__getattr__'] = partial(_attribute, import_module(self.new), names)
        else:
            sys.modules[old] = import_module(self.new)


def _attribute(moved: ModuleType, names: Mapping[str, str], name: str) -> Any:
    return getattr(moved, names.get(name, name))


def old_names(
    module: str, names: Mapping[str, tuple[str, Callable[[], Any]]]
) -> Callable[[str], Any]:
    """A module's ``__getattr__`` (PEP 562) for what had other names in it in the last release.

    Args:
        module: Its ``__name__``.
        names: By old name, where it is today, below ``rethink_det``, and what gives it.

    Returns:
        A function that warns and gives it; it raises AttributeError for every other name.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f'module {module!r} has no attribute {name!r}')
        new, get = names[name]
        warn_of(f'{module}.{name}', f'{PACKAGE}{new}')
        return get()

    return __getattr__


def warn_of(old: str, new: str) -> None:
    """Warn whoever called the caller that ``old`` goes and is ``new`` today."""
    warnings.warn(
        f'{old} is now {new}; the old name goes with the next release.',
        DeprecationWarning,
        stacklevel=3,
    )


def install() -> None:
    """Put one `MovedFinder` at the end of ``sys.meta_path``. Idempotent; imports nothing."""
    if not any(isinstance(finder, MovedFinder) for finder in sys.meta_path):
        sys.meta_path.append(MovedFinder())


def renamed_arguments(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take keyword arguments by their names of the last release, with a warning.

    Args:
        names: By the old name the new.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **given: P.kwargs) -> T:
            for old in names.keys() & given.keys():
                said = f'{function.__qualname__}: {old} is now called {names[old]}'
                warnings.warn(said, DeprecationWarning, stacklevel=2)
                given[names[old]] = given.pop(old)
            return function(*args, **given)

        return call

    return decorate
