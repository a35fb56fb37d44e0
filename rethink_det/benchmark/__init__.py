"""What this package's own parts cost, each beside its plain counterpart.

Every benchmark is a module of its own and prints what it measures; ``timing`` is what they
share. None is imported before it is asked for.
"""

__all__ = ['backbone', 'coco', 'detector', 'onnx', 'packed', 'prune', 'start_up', 'timing', 'train']
