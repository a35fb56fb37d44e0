"""CIFAR's official files in miniature: pickles as Python 2 wrote them, or binary, packed or not."""

import io
import struct
import tarfile

import numpy as np

from rethink_det.datasets import CIFAR10, CIFAR100
from rethink_det.datasets.cifar.versions import CIFAR10_VERSIONS, CIFAR100_VERSIONS

TEN = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')
HUNDRED = tuple(f'name_{number:02d}' for number in range(100))
KINDS = {
    'cifar10-python': (CIFAR10, CIFAR10_VERSIONS[0]),
    'cifar10-binary': (CIFAR10, CIFAR10_VERSIONS[1]),
    'cifar100-python': (CIFAR100, CIFAR100_VERSIONS[0]),
    'cifar100-binary': (CIFAR100, CIFAR100_VERSIONS[1]),
}
TRAIN, TEST = 'train', 'test'


def python2(value):
    """The opcodes that Python 2's cPickle wrote for a value, protocol 2."""
    if value is None or value is False:
        return {None: b'N', False: b'\x89'}[value]
    if isinstance(value, int):
        return b'J' + struct.pack('<i', value)
    if isinstance(value, bytes):
        short = len(value) < 256
        return (
            b'U' + bytes([len(value)]) if short else b'T' + struct.pack('<i', len(value))
        ) + value
    if isinstance(value, (list, tuple)):
        items = b''.join(map(python2, value))
        return b'](' + items + b'e' if isinstance(value, list) else b'(' + items + b't'
    if isinstance(value, dict):
        return b'}(' + b''.join(python2(k) + python2(v) for k, v in value.items()) + b'u'
    kind = value.dtype.str[1:].encode()
    dtype = b'cnumpy\ndtype\n' + python2((kind, 0, 1)) + b'R'
    dtype += python2((3, b'|', None, None, None, -1, -1, 0)) + b'b'
    array = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n' + python2((0,))
    array += python2(b'b') + b'tR(' + python2(1) + python2(value.shape) + dtype
    return array + python2(False) + python2(value.tobytes()) + b'tb'


def dump(fields):
    return b'\x80\x02' + python2(fields) + b'.'


def drawn(count, classes, seed):
    """Pixels uint8 (count, 3072) and labels from the whole range in no particular order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) * classes // count)
    return random.integers(0, 256, (count, 3072), dtype=np.uint8), labels


def members(kind, version, count=None):
    """The files of a small data set in this version's format, by name.

    Each file of images has ``count``, by default two for each class.
    """
    classes = 10 if '100' not in kind else 100
    names = TEN if classes == 10 else HUNDRED
    files = {}
    for number, name in enumerate(version.splits[TRAIN] + version.splits[TEST]):
        pixels, labels = drawn(count or 2 * classes, classes, seed=number)
        coarse = labels // 5
        if 'python' in kind:
            fields = {b'data': pixels, b'filenames': [b'a.png'] * len(labels)}
            if classes == 10:
                fields |= {b'batch_label': b'batch', b'labels': labels.tolist()}
            else:
                fields |= {b'coarse_labels': coarse.tolist(), b'fine_labels': labels.tolist()}
            files[name] = dump(fields)
        else:
            columns = [labels] if classes == 10 else [coarse, labels]
            records = np.column_stack([*columns, pixels]).astype(np.uint8)
            files[name] = records.tobytes()
    if 'python' in kind:
        key = b'label_names' if classes == 10 else b'fine_label_names'
        files[version.names] = dump({key: [name.encode() for name in names], b'num_vis': 3072})
    else:
        files[version.names] = ('\n'.join(names) + '\n\n').encode()
    return files


def store(root, kind, packed=False, count=None, **replaced):
    """Writes the data set as it comes; ``replaced`` files are other bytes, or not there (None)."""
    _, version = KINDS[kind]
    files = {**members(kind, version, count), 'readme.html': b'<html>', **replaced}
    files = {name: content for name, content in files.items() if content is not None}
    root.mkdir(parents=True, exist_ok=True)
    if packed:
        with tarfile.open(root / version.archive, 'w:gz', compresslevel=1) as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(f'{version.folder}/{name}')
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    else:
        (root / version.folder).mkdir()
        for name, content in files.items():
            (root / version.folder / name).write_bytes(content)
    return root
