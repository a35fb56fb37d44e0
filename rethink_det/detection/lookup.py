"""The class that a ``type`` in a config means."""

from mmengine.registry import Registry


def registered(registry: Registry, name: str) -> type | None:
    """What ``registry.build`` would build for ``dict(type=name)`` under the default scope.

    ``Registry.get`` alone knows no default scope: a bare ``CocoDataset`` would not be found.
    """
    with registry.switch_scope_and_registry(None) as current:
        return current.get(name)
