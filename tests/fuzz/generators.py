"""Wrong values for study configs, command lines and architecture files, drawn by a seed.

What they come to is in the hands of :mod:`tests.fuzz`'s tests: a line that says what is wrong, or
something that works. Everything here is text: source of Python, words of a command line, JSON.
"""

import argparse
import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

from rethink_det.cli import COMMANDS, _parser

NUMBERS = ('0', '-1', '1', '3', '10**30', '10**400', '10**5000', '0.5', '-0.5', '2.5', '1e-30',
           '1e308', 'float("nan")', 'float("inf")', '-float("inf")', 'True', 'False')  # fmt: skip
TEXTS = ('""', '" "', '"x"', '"ünï"', '"a/b"', '"../.."', '"/"', '"/dev/null"', '"."', '"x" * 5000',
         '"net.py"', '"a\\0b"', '"\\n"', '"1"', '"unpruned"', '"resnet34-a"', '"L1NormPruner"',
         '"mmdet::x.py"', '"mmseg::x.py"', '"\\udcff"', 'b""')  # fmt: skip
LISTS = ('[]', '[None]', '[[]]', '["x"]', '[0, 0]', '[-1]', '[0.5]', '[True]', '[float("nan")]',
         '[2**32]', '[{}]', '[10**400]', 'list(range(20))', '()', '("a", 1)')  # fmt: skip
DICTS = ('{}', '{"a": 1}', '{"": 1}', '{1: 1}', '{None: None}', '{"type": "x"}', '{"a": {}}',
         '{"type": "L1NormPruner"}', '{"type": "SGD", "lr": "x"}', '{"fine-tune": 1}',
         '{"a": {"type": "L1NormPruner", "ratios": 0.5}}', '{"..": {"a": []}}')  # fmt: skip
OTHERS = ('None', 'print', 'int', 'object()', '1j', '{1}', 'slice(1)', '...')
SOURCES = (*NUMBERS, *TEXTS, *LISTS, *DICTS, *OTHERS)
"""Values as Python has them."""

STUDY = dict(
    title='t', description='d', name='mine', seeds=[0, 1], margin={'accuracy/top1': 0.5},
    primary=dict(stage='classification', arm='scratch-e', baseline='fine-tune'),
    classification=dict(
        config='net.py', epochs=1, rounds=1, round_arm='fine-tune', controls=False, budgets=[2],
        pruner=dict(type='L1NormPruner', ratios=0.5, skip=['layer3.0.conv1'], min_channels=1),
        arms=['unpruned', 'fine-tune', dict(arm='scratch-e', seeds=[0], schedule=2)],
        arm_settings=dict(
            fine_tune_epochs=1, fine_tune_lr=0.01, scratch_b_cap=2, scratch_b_epochs=1,
            tune_lr=[], rounding='nearest', flops='conv+linear',
        ),
        options={'train_dataloader.batch_size': 8, 'optim_wrapper.optimizer.lr': 0.1,
                 'train_cfg.max_epochs': 1, 'param_scheduler': []},
        reference={'fine-tune': dict(value=93.0, source='x')},
    ),
    detection=[dict(
        config='det.py', name='det', arms=['prune-c', dict(arm='random', schedule=2)], seeds=[0],
        epochs=1, budgets=[], budget='epochs', options={'train_dataloader.batch_size': 2},
        reference={'prune-c': dict(value=0.3)}, untuned=False,
    )],
)  # fmt: skip
"""A study in which nearly every key is said."""
UNSAID = (
    ('classification', 'pruners'), ('classification', 'variants'), ('classification', 'pruned'),
    ('classification', 'architecture'), ('classification', 'untuned'), ('classification', 'parent'),
    ('classification', 'parents'), ('classification', 'parents_epochs'), ('classification', 'base'),
    ('classification', 'ratios'), ('classification', 'widths_of'), ('classification', 'arm_plans'),
    ('classification', 'arm_settings', 'epochs'), ('classification', 'arm_settings', 'x'),
    ('classification', 'pruner', 'target'), ('detection', 0, 'data_root'), ('detection', 0, 'x'),
    ('x',), (),
)  # fmt: skip
"""Keys that it could say besides, or that nothing has; the last is all of it."""


class StudyValue(NamedTuple):
    """A study with one wrong value.

    Attributes:
        place: Keys and positions that lead to it.
        value: As source.
    """

    place: tuple
    value: str

    @property
    def source(self) -> str:
        """The config file."""
        keys = ''.join(f'[{key!r}]' for key in self.place)
        return f'study = {STUDY!r}\nstudy{keys} = {self.value}\n'


def study_values(seed: int, count: int) -> Iterator[StudyValue]:
    """So many studies, every place and value equally often."""
    random, places = Random(seed), [*_places(STUDY), *UNSAID]
    for place, value in zip(_endless(places, random), _endless(SOURCES, random), strict=False):
        if count == 0:
            return
        count -= 1
        yield StudyValue(place, value)


def _places(node: Any, place: tuple = ()) -> Iterator[tuple]:
    """Where anything stands in dicts and lists."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inside:
        yield (*place, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*place, key))


def _endless(values: Any, random: Random) -> Iterator:
    """The values in one order after another."""
    while True:
        yield from random.sample(values, len(values))


WORDS = (
    '', ' ', 'x', 'ünï', '-1', '0', '1', '2.5', 'nan', 'inf', '1e309', '9' * 400, 'x' * 5000,
    '/dev/null', '/', '.', '..', '/proc/self/mem', '/nowhere/at/all', '../x', '::', 'mmdet::x.py',
    'mmseg::x.py', 'mmdet::', '::x', 'a=b', 'a.b.c=1', '=', 'a=', '=1', 'a=[1', "a={'b'", 'a=nan',
    'train_cfg=3', 'train_cfg.max_epochs=x', 'train_cfg.max_epochs=-1', 'model=None', 'model.x=1',
    'model.backbone.depth=9', 'model.backbone.depth=x', 'model.head=1', 'optim_wrapper=0',
    'optim_wrapper.optimizer.lr=x', 'optim_wrapper.optimizer.lr=-1', 'train_dataloader=1',
    'train_dataloader.batch_size=0', 'train_dataloader.num_workers=-1', 'custom_hooks=1',
    'param_scheduler=x', 'randomness=1', 'randomness.seed=x', 'work_dir=1', 'default_hooks=x',
    'env_cfg=1', 'log_level=1', 'val_evaluator=x', 'model.data_preprocessor=1', 'load_from=x',
    'study.seeds=x', 'study.seeds=[]', 'study=1', 'ratios=x', 'ratios=2', 'ratios=nan', '--', '-',
    '--x', '--help=1', '\udcff', '日本', 'a\nb', 'scratch-e', 'unpruned', 'fine-tune', 'random',
    'L1NormPruner', 'resnet34-a', 'resnet56', 'epochs=x', 'epochs=-1', 'schedule=nan', 'print',
    'cost', 'os.system', '{0}', '%s', '*', '~', '$HOME', 'file:///etc/passwd', 'http://x.invalid/',
)  # fmt: skip
"""Words of a command line, most of which are wrong wherever they stand."""


def command_lines(
    seed: int, count: int, files: list[str], right: dict[str, list[str]]
) -> Iterator[list[str]]:
    """So many command lines, all commands equally often, which begin with the command.

    Args:
        seed: Of the draws.
        count: How many.
        files: Paths that words are drawn from as well: right files, wrong ones, folders.
        right: By the name of an argument, what is right there, so that others are looked at.
    """
    random = Random(seed)
    words, commands = [*WORDS, *files * 3], _endless(list(COMMANDS), random)
    for _ in range(count):
        command = next(commands)
        line = [command]
        for action in _arguments(command):
            if not action.option_strings:
                line += _values(action, words, right, random)
            elif random.random() < 0.25:
                line += [
                    random.choice(action.option_strings),
                    *_values(action, words, right, random),
                ]
        yield line


def _arguments(command: str) -> list[argparse.Action]:
    """What a command declares, but for its help."""
    parsers = _parser(command)._subparsers._group_actions[0]
    return [one for one in parsers.choices[command]._actions if '--help' not in one.option_strings]


def _values(
    action: argparse.Action, words: list[str], right: dict[str, list[str]], random: Random
) -> list[str]:
    counts = {None: 1, '+': random.randint(1, 3), '*': random.randint(0, 2), '?': 1}
    count = counts.get(action.nargs, action.nargs)
    valid = [str(choice) for choice in action.choices or ()]
    pool = valid if valid and random.random() < 0.8 else words
    if action.dest in right and random.random() < 0.7:
        pool = right[action.dest]
    return random.choices(pool, k=count)


PIECES = ('null', 'true', 'false', '0', '-1', '1', '2.5', '1e999', '-1e999', 'NaN', 'Infinity',
          '1' + '0' * 400, '1' + '0' * 5000, '""', '"x"', '"\\ud800"', '"conv1"', '"a.b"', '[]',
          '[0]', '[0, 0]', '[-1]', '[1.5]', '[null]', '[[]]', '{}', '{"a": 1}', '{"": {}}',
          '{"type": "x"}', '{"type": "mmdet.ResNet"}', '100000', '"' + 'x' * 5000 + '"',
          '[' * 60 + ']' * 60, '[' * 5000 + ']' * 5000)  # fmt: skip
"""Values as JSON has them, or nearly."""
MARK = '@wrong@'


def file_contents(seed: int, count: int, right: list[dict]) -> Iterator[bytes]:
    """So many contents of JSON files: right ones with a value wrong, gone or added.

    Every twentieth is broken as a text.
    """
    random, pieces = Random(seed), _endless(PIECES, Random(seed))
    for number in range(count):
        node = deepcopy(random.choice(right))
        place = random.choice(list(_places(node)))
        parent: Any = node
        for key in place[:-1]:
            parent = parent[key]
        change = random.random()
        if change < 0.1:
            del parent[place[-1]]
        elif change < 0.2 and isinstance(parent, dict):
            parent[random.choice(['x', '', 'type', 'layer1.0.conv1', 'channels', 'runs'])] = MARK
        else:
            parent[place[-1]] = MARK
        text = json.dumps(node).replace(f'"{MARK}"', next(pieces)).encode()
        yield text if number % 20 else _broken(text, random)


def _broken(text: bytes, random: Random) -> bytes:
    """Cut off, or with bytes that are no UTF-8."""
    cut = random.randrange(len(text))
    return random.choice([text[:cut], text[:cut] + b'\xff\xfe' + text[cut:], b'', b'\x00' * 9])
