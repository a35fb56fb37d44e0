"""Take the weights out of a file that runs code when it is loaded: ``plain_weights.py FILE OUT``.

This package unpickles nothing that needs code. This script does, in *your* process and with the
code that the file names, so run it on files whose source you trust alone. It needs torch, and what
the model in the file is made of; not this package. What it writes are tensors and plain values,
which ``rethink-det convert OUT --base NETWORK`` reads.

Known are whole models, alone or in a dict under ``model``, ``ema``, ...; ``tp.state_dict`` of
Torch-Pruning; checkpoints of NVIDIA ModelOpt; and dicts that hold a state dict beside other things.
A pruning history of Torch-Pruning (under ``pruning`` or ``pruning_history``) comes along: give OUT
as ``--subnet`` as well.
"""

import argparse
import os
import sys

import torch

MODELS = ('model', 'ema', 'net', 'network', 'module', 'ema_model')
STATES = ('state_dict', 'model_state_dict', 'model', 'net', 'params')
HISTORIES = ('pruning', 'pruning_history')


def main() -> None:
    """Read the one file and write the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('file', help='that torch.load reads with code')
    parser.add_argument('out', help='plain weights')
    parser.add_argument('--path', action='append', default=[], help='where its modules are')
    options = parser.parse_args()
    if os.path.exists(options.out):
        sys.exit(f'error: {options.out} is there: name another file')
    sys.path[:0] = options.path
    try:
        content = torch.load(options.file, map_location='cpu', weights_only=False)
        tensors = tensors_of(content)
    except Exception as error:  # whatever the code in the file raises
        sys.exit(f'error: {options.file}: {type(error).__name__}: {error}')
    plain = {'state_dict': tensors, 'meta': {}}
    for key in HISTORIES:
        if isinstance(content, dict) and isinstance(content.get(key), list):
            plain['pruning'] = [[str(n), bool(o), [int(i) for i in c]] for n, o, c in content[key]]
    torch.save(plain, options.out)
    print(f'wrote {len(tensors)} tensors to {options.out}')


def tensors_of(content: object) -> dict[str, torch.Tensor]:
    """The tensors of whatever was in the file, by name."""
    if isinstance(content, torch.nn.Module):
        return dict(content.state_dict())
    if not isinstance(content, dict):
        raise ValueError(f'holds a {type(content).__name__}, neither a model nor a dict')
    if 'full_state_dict' in content and 'attributions' in content:
        return of_torch_pruning(content['full_state_dict'])
    for key in MODELS:
        if isinstance(content.get(key), torch.nn.Module):
            return dict(content[key].state_dict())
    for key in STATES:
        if isinstance(content.get(key), dict):
            return tensors_of(content[key])
    tensors = {n: t for n, t in content.items() if isinstance(t, torch.Tensor)}
    if not tensors:
        raise ValueError('holds no model and no tensors')
    return tensors


def of_torch_pruning(modules: dict) -> dict[str, torch.Tensor]:
    """Of what ``tp.state_dict`` keeps of each module."""
    tensors = {}
    for name, kept in modules.items():
        parts = {**kept['_parameters'], **kept['_buffers']}
        for leaf, tensor in parts.items():
            if tensor is not None and leaf not in kept['_non_persistent_buffers_set']:
                tensors[f'{name}.{leaf}' if name else leaf] = tensor.detach()
    return tensors


if __name__ == '__main__':
    main()
