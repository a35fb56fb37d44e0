"""Building what a config describes: whatever goes wrong there is told in a line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import TracebackType

from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, PARAM_SCHEDULERS, DefaultScope

from rethink_det.architecture.network import without_memory
from rethink_det.errors import UserError, in_one_line, shown
from rethink_det.packages import DISTRIBUTIONS, check_installed, refuse_missing
from rethink_det.registered import in_full, scope_of

_REGISTRIES, _RUNNER = 'mmengine.registry.build_functions', 'mmengine.runner.runner'
_BUILDERS = _RUNNER, 'mmengine.optim.optimizer.builder'


@contextmanager
def telling_what_is_built() -> Iterator[None]:
    """Turn errors that arise while MMEngine builds something from a config into the user's.

    All others, those of a training that has begun among them, pass as they are.

    Raises:
        UserError: Names what was built, and what it said.
    """
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        what = _built(error.__traceback__)
        if what is None:
            raise
        refuse_missing(error, f'The config: {what}')
        if isinstance(error, KeyError) and 'is not in the' in str(error):
            _refuse_missing_scope(what)
            raise  # it says it all
        raise UserError(f'The config: {what} cannot be built: {in_one_line(error)}') from error


def _refuse_missing_scope(what: str) -> None:
    """A bare name of which MMEngine looked elsewhere, as the package of the scope is not there."""
    scope = DefaultScope.get_current_instance()
    if scope is not None and scope.scope_name in DISTRIBUTIONS:
        check_installed(scope.scope_name, f'The config: {what} in default_scope')


def _built(traceback: TracebackType | None) -> str | None:
    """What was last built as an error arose; None if nothing was."""
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        module, name = frame.f_globals.get('__name__'), frame.f_code.co_name
        if module == _REGISTRIES and name == 'build_from_cfg':
            config = frame.f_locals.get('cfg')
            found = shown(config.get('type')) if isinstance(config, Mapping) else shown(config)
        elif module in _BUILDERS and name.startswith('build_'):
            found = name.removeprefix('build_')
        elif module == _RUNNER and name in ('from_cfg', 'setup_env', 'set_randomness'):
            found = found or 'the training'
        traceback = traceback.tb_next
    return found


def check_buildable(config: Config) -> None:
    """Refuse a training whose model, optimizer or schedule MMEngine would not build.

    The model is built without memory; no data are looked at.

    Args:
        config: Of any training.

    Raises:
        UserError: As of :func:`telling_what_is_built`.
    """
    config = in_full(config)
    if not config.get('model'):
        return
    with scope_of(config), telling_what_is_built():
        model = without_memory(partial(MODELS.build, config.model))
        if not config.get('optim_wrapper'):
            return
        wrapper = build_optim_wrapper(model, config.optim_wrapper)
        schedulers = config.get('param_scheduler') or ()
        for one in (schedulers,) if isinstance(schedulers, Mapping) else schedulers:
            plain = {key: value for key, value in one.items() if key != 'convert_to_iter_based'}
            PARAM_SCHEDULERS.build({**plain, 'optimizer': wrapper})
