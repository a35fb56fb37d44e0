"""``timm:NAME`` and ``torchvision:NAME``: the published weights of these libraries as a checkpoint.

They are looked for where the libraries keep theirs (``HF_HOME``, ``TORCH_HOME``), and else
downloaded, once. What is made of them, a checkpoint that describes itself, is kept in this
package's own cache; from there on it is a file like any other.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.convert.conversion import convert_checkpoint
from rethink_det.convert.foreign_models import TIMM, TORCHVISION
from rethink_det.convert.known_networks import load_base
from rethink_det.errors import UserError, in_one_line
from rethink_det.files import user_cache
from rethink_det.packages import LIBRARY_NAME, check_installed

FOLDER = 'weights-1'
"""In the cache; another number where what is made of the same weights is another."""
SECONDS = 8
"""How long a server may take to answer."""
_FILES = ('model.safetensors', 'pytorch_model.bin')


class Published(NamedTuple):
    """Weights that a library publishes.

    Attributes:
        library: Its name.
        model: Of the network there.
        tag: Which of its weights.
        repository: At Hugging Face; empty if they are not there.
        files: What they may be called there.
        url: Of the file, if it is somewhere else.
        input_shape: Of the images that it wants, if that is said of these weights.
    """

    library: str
    model: str
    tag: str
    repository: str = ''
    files: tuple[str, ...] = ()
    url: str = ''
    input_shape: tuple[int, int, int] | None = None

    @property
    def name(self) -> str:
        """In full, ``timm:resnet18.a1_in1k``."""
        return f'{self.library}:{self.model}' + (f'.{self.tag}' if self.tag else '')


def library_checkpoint(name: str) -> str:
    """The file of a checkpoint with the published weights of a network.

    Args:
        name: ``timm:NAME`` or ``torchvision:NAME``, and behind a dot which of its weights, by
            the library's own name of them; default: those that it takes itself.

    Returns:
        Its path in the user's cache.

    Raises:
        UserError: The library is not installed, has no such network or weights (names those of
            about that name); they are in no cache and cannot be downloaded; or the network has a
            head that is not read.
    """
    published = _published(name)
    file = user_cache() / FOLDER / f'{published.name.replace(":", ".")}.pth'
    if not file.is_file():
        found = next(_cached(published), None) or _downloaded(published)
        with TemporaryDirectory() as folder:
            # A file of the libraries' caches is not called by the network.
            link = Path(folder, f'{file.stem}{Path(found).suffix}')
            link.symlink_to(os.path.abspath(found))
            try:
                convert_checkpoint(link, _base(published)).checkpoint().write(file)
            except UserError as error:
                raise UserError(str(error).replace(str(link), f'{name} ({found})')) from None
    return str(file)


def _base(published: Published) -> PrunedArchitecture:
    """The network, whose name does not say by which weights, and what these say of their images."""
    base = load_base(f'{published.library}.{published.model}')
    source = f'{published.library}.models.{published.model}.{published.tag}'.removesuffix('.')
    return replace(base, source=source, input_shape=published.input_shape or base.input_shape)


def library_name(path: str | os.PathLike) -> str | None:
    """The name that :func:`library_checkpoint` made a file of; None of any other file."""
    file = Path(path)
    if file.parent.absolute() != (user_cache() / FOLDER).absolute():
        return None
    library, _, name = file.stem.partition('.')
    return f'{library}:{name}'


def _published(name: str) -> Published:
    match = LIBRARY_NAME.fullmatch(name)
    if match is None:
        raise UserError(f'{name!r} is no timm:NAME and no torchvision:NAME.')
    library, wanted = match.groups()
    check_installed(library, f'The network {name!r}')
    return (_of_timm if library == TIMM else _of_torchvision)(wanted)


def _of_timm(wanted: str) -> Published:
    timm = import_module(TIMM)
    model, _, tag = wanted.partition('.')
    known = timm.list_models()
    if model not in known:
        raise _unknown(f'{TIMM}:{wanted}', model or wanted, known)
    full = timm.list_pretrained(f'{model}.*') or timm.list_pretrained(model)
    default = timm.get_pretrained_cfg(model)
    tags = [one.partition('.')[2] for one in full]
    if not full or (tag and tag not in tags):
        raise _unknown(f'{TIMM}:{wanted}', tag or model, [one for one in tags if one])
    settings = timm.get_pretrained_cfg(f'{model}.{tag}' if tag else model) or default
    named = settings.hf_hub_filename
    files = (named,) if named else _FILES
    repository = settings.hf_hub_id or ''
    shape = tuple(settings.input_size)
    tag = tag or settings.tag or ''
    return Published(TIMM, model, tag, repository, files, settings.url or '', shape)


def _of_torchvision(wanted: str) -> Published:
    models = import_module('torchvision.models')
    model, _, tag = wanted.partition('.')
    known = models.list_models(models)
    if model not in known:
        raise _unknown(f'{TORCHVISION}:{wanted}', model or wanted, known)
    weights = models.get_model_weights(model)
    names = [one.name for one in weights]
    if tag and tag not in names:
        raise _unknown(f'{TORCHVISION}:{wanted}', tag, names)
    chosen = weights[tag] if tag else weights.DEFAULT
    return Published(TORCHVISION, model, chosen.name, url=chosen.url)


def _unknown(name: str, part: str, known: list[str]) -> UserError:
    near = get_close_matches(part, known, 5, 0.4) or known[:5]
    library = name.partition(':')[0]
    told = f'of about that name are {", ".join(near)}' if near else 'it has none of that network'
    return UserError(f'{name}: {library} has no weights {part!r}; {told}.')


def _cached(published: Published) -> Iterator[str]:
    """Files of these weights that the libraries have fetched before."""
    if published.repository:
        hub = import_module('huggingface_hub')
        for name in published.files:
            found = hub.try_to_load_from_cache(published.repository, name)
            if isinstance(found, str):
                yield found
    file = _torch_file(published)
    if file is not None and file.is_file():
        yield str(file)


def _torch_file(published: Published) -> Path | None:
    """Where torch keeps what it downloads from a URL."""
    name = Path(urlparse(published.url).path).name
    return Path(torch.hub.get_dir()) / 'checkpoints' / name if name else None


def _downloaded(published: Published) -> str:
    """The file of weights, from where they are published."""
    try:
        if published.repository:
            return _from_hub(published)
        file = _torch_file(published)
        if file is None:
            raise UserError(f'{published.name}: timm does not say where its weights are.')
        _check_reachable(published.url)
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(published.url, str(file), progress=False)
        return str(file)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f'{published.name}: its weights are in no cache (looked in {_places(published)}) and '
            f'cannot be downloaded ({in_one_line(error)}). Fetch them where there is a network and '
            'bring that folder along, or convert a file of weights.'
        ) from None


def _from_hub(published: Published) -> str:
    hub: Any = import_module('huggingface_hub')
    _check_reachable(hub.constants.ENDPOINT)
    for file in published.files:
        try:
            return str(hub.hf_hub_download(published.repository, file))
        except hub.errors.RemoteEntryNotFoundError:
            continue
    raise OSError(f'{published.repository} has none of {", ".join(published.files)}')


def _check_reachable(url: str) -> None:
    """Raise at once where there is no network: the libraries would try again and again."""
    try:
        with urlopen(Request(url, method='HEAD'), timeout=SECONDS):
            pass
    except HTTPError:
        pass  # there is somebody, who does not want to be asked so


def _places(published: Published) -> str:
    places = [str(_torch_file(published))] if published.url else []
    if published.repository:
        cache = import_module('huggingface_hub').constants.HF_HUB_CACHE
        places.insert(0, f'{cache} for {published.repository}')
    return ' and '.join(places)
