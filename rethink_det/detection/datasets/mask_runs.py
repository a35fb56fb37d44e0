"""The run lengths of a mask that COCO compressed into a text."""

_FIRST = ord('0')
"""The character that stands for 0."""
_MOST_BITS = 60


def decompressed(counts: str) -> list[int]:
    """The run lengths in COCO's compressed text; -1 at the end where it is none.

    pycocotools decodes such a text unchecked: one that is too long is written beyond the mask's
    memory, and one that is too short leaves what was there before.
    """
    runs: list[int] = []
    value = shift = 0
    for byte in counts.encode():
        piece = byte - _FIRST
        if not 0 <= piece < 64 or shift > _MOST_BITS:
            return [*runs, -1]
        value |= (piece & 31) << shift
        shift += 5
        if piece & 32:
            continue
        value -= (piece & 16) and 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return [*runs, -1] if shift else runs
