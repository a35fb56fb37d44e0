"""A model card: what a checkpoint is, what it came to, where it is from and how it is loaded.

After Model Cards for Model Reporting (Mitchell et al., arXiv 1810.03993): what is known of a
network stands beside it, and what is not known is said to be.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.files import save_text

UNKNOWN = 'not known'
SHOWN_LAYERS = 12


def model_card(checkpoint: Checkpoint, metrics: Mapping[str, float] | None = None) -> str:
    """The card of a checkpoint as Markdown.

    Args:
        checkpoint: It.
        metrics: What the network came to, by name, if that is known.

    Raises:
        UserError: Its architecture makes no sense.
    """
    shape = None if checkpoint.architecture is None else PrunedArchitecture.load(checkpoint)
    whole = 'classifier' if _is_classifier(checkpoint) else 'detector or backbone'
    lines = [
        f'# {Path(checkpoint.path).name}',
        '',
        f'A {whole} of {len(checkpoint.state_dict)} tensors, digest `{checkpoint.digest}`.',
        '',
        *_section('Architecture', _architecture(shape, checkpoint)),
        *_section('Results', _results(metrics)),
        *_section('Training and data', _origin(checkpoint)),
        *_section('Input', _input(checkpoint)),
        '## Loading',
        '',
        '```python',
        *_loading(checkpoint, shape),
        '```',
    ]
    return '\n'.join(lines) + '\n'


def write_card(path: Path, metrics: Mapping[str, float] | None = None) -> Path:
    """Write the card of a checkpoint file beside it, whole or not at all.

    Args:
        path: The checkpoint.
        metrics: As of :func:`model_card`.

    Returns:
        The card's file: ``pruned.pth`` has ``pruned.card.md``.

    Raises:
        UserError: The checkpoint is missing or damaged.
    """
    card = path.with_suffix('.card.md')
    save_text(model_card(Checkpoint.read(path), metrics), card)
    return card


def _is_classifier(checkpoint: Checkpoint) -> bool:
    return any(name.startswith('head.') for name in checkpoint.weights)


def _section(title: str, rows: Iterator[tuple[str, Any]]) -> list[str]:
    table = [f'| {name} | {_cell(value)} |' for name, value in rows]
    return [f'## {title}', '', '| | |', '|---|---|', *table, '']


def _cell(value: Any) -> str:
    return UNKNOWN if value in (None, '', {}) else ' '.join(str(value).replace('|', '/').split())


def _architecture(
    shape: PrunedArchitecture | None, checkpoint: Checkpoint
) -> Iterator[tuple[str, Any]]:
    if shape is None:
        yield 'architecture', None
        return
    yield 'backbone', f'`{shape.backbone["type"]}` {_settings(shape.backbone)}'
    yield 'name', shape.name or 'none of the published ones'
    lost = {n: (shape.kept(n), w) for n, w in shape.widths.items() if shape.kept(n) < w}
    narrow = ', '.join(f'{n} {kept} of {of}' for n, (kept, of) in [*lost.items()][:SHOWN_LAYERS])
    more = f' and {len(lost) - SHOWN_LAYERS} layers more' if len(lost) > SHOWN_LAYERS else ''
    yield 'channels', f'{narrow}{more}' if lost else 'all'
    if checkpoint.masks:
        yield 'weight masks', f'of {len(checkpoint.masks)} tensors'
    cost = shape.cost()
    size = 'x'.join(map(str, cost.input_shape))
    of = 'backbone and head' if _is_classifier(checkpoint) else 'of the backbone as a classifier'
    yield 'parameters', f'{cost.params:,} ({of})'
    yield 'multiply-adds', f'{cost.macs:,} ({of}, at {size})'


def _settings(backbone: Mapping[str, Any]) -> str:
    return ', '.join(f'{key}={value}' for key, value in backbone.items() if key != 'type')


def _results(metrics: Mapping[str, float] | None) -> Iterator[tuple[str, Any]]:
    if not metrics:
        yield 'metrics', None
    for name, value in (metrics or {}).items():
        yield name, f'{value:.6g}'


def _origin(checkpoint: Checkpoint) -> Iterator[tuple[str, Any]]:
    known = checkpoint.provenance
    yield 'arm or step', known.arm
    yield 'seed', known.seed
    yield 'data', known.data
    parent = known.parent
    yield (
        'made from',
        'random weights' if parent is None and known.arm else parent and parent.name,
    )
    if parent is not None:
        yield 'its digest', parent.digest
    yield 'pruner', dict(known.pruner) if known.pruner else 'none' if known.arm else None
    for line in known.inferred or ():
        yield 'inferred', line
    yield 'versions', ', '.join(f'{n} {v}' for n, v in (known.versions or {}).items())
    yield 'config', known.config_digest


def _input(checkpoint: Checkpoint) -> Iterator[tuple[str, Any]]:
    convention = checkpoint.input_convention
    said = {} if convention is None else convention.to_dict()
    if not said:
        yield 'normalisation', None
    yield from said.items()


def _loading(checkpoint: Checkpoint, shape: PrunedArchitecture | None) -> list[str]:
    file = Path(checkpoint.path).name
    if shape is None or not _is_classifier(checkpoint):
        return [
            'from rethink_det import load_detector',
            f"detector = load_detector('{file}')  # its config beside it, or config='...'",
            "found = detector.predict('picture.jpg')",
        ]
    return [
        'from rethink_det import Checkpoint, PrunedArchitecture',
        f"checkpoint = Checkpoint.read('{file}')",
        'network = PrunedArchitecture.load(checkpoint).network_with(checkpoint.weights)',
    ]
