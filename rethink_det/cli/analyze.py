"""What ``rethink-det analyze`` does."""

import argparse
import json

from rethink_det.architecture import PrunedArchitecture
from rethink_det.cli.config_options import import_modules
from rethink_det.errors import UserError


def run(options: argparse.Namespace) -> int:
    """Print parameters and MACs, or the layers."""
    import_modules(options.imports)
    architecture = PrunedArchitecture.load(options.architecture)
    if options.what == 'print':
        print(json.dumps(architecture.to_dict()) if options.json else architecture)
        return 0
    channels = architecture.input_shape[0]
    if options.input_shape and options.input_shape[0] != channels:
        raise UserError(f'--input-shape needs {channels} channels, got {options.input_shape}.')
    cost = architecture.cost(options.input_shape).as_dict()
    if options.json:
        print(json.dumps({'name': architecture.name, **cost}))
    else:
        shape = 'x'.join(map(str, cost['input_shape']))
        print(f'{architecture.name or options.architecture}, backbone and head, at {shape}')
        for name in ('params', 'macs', 'macs_conv', 'macs_linear'):
            print(f'  {name:<12}{cost[name]:>16,}')
    return 0
