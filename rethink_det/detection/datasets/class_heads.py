"""The heads of a detector that tell a data set's classes apart, and how many they are told."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from rethink_det.detection.transfer.in_channels import CLASS_HEADS
from rethink_det.transfer.adapted import Change, difference

NUMBER, THINGS, STUFF = 'num_classes', 'num_things_classes', 'num_stuff_classes'
MASK_HEADS = ('panoptic_head', 'panoptic_fusion_head')
"""Keys of heads that count things, which have instances, and stuff, which has none."""


@dataclass(frozen=True)
class ClassHead:
    """A head's config that counts classes.

    Attributes:
        config: It.
        place: Its key in the config of the whole.
        key: The key of its number.
    """

    config: MutableMapping[str, Any]
    place: str
    key: str = NUMBER

    @property
    def number(self) -> int:
        """Of the classes."""
        return int(self.config[self.key])

    @property
    def stuff(self) -> int:
        """How many classes without instances there are besides."""
        return int(self.config.get(STUFF) or 0) if self.key == THINGS else 0

    def set_number(self, number: int) -> list[Change]:
        """Let it tell so many classes apart, in place; none is stuff, and all weigh alike.

        A weight of what is no object, the last of one more than there are classes, stays.

        Returns:
            What changes.
        """
        old, head = self.number + self.stuff, self.config
        changes = difference(f'{self.place}.{self.key}', head[self.key], number)
        head[self.key] = number
        if self.key == THINGS:
            changes += difference(f'{self.place}.{STUFF}', self.stuff, 0)
            head[STUFF] = 0
        loss = head.get('loss_cls')
        weights = loss.get('class_weight') if isinstance(loss, MutableMapping) else None
        if isinstance(loss, MutableMapping) and isinstance(weights, (list, tuple)):
            new = [1.0] * number + list(weights[old:])
            place = f'{self.place}.loss_cls.class_weight'
            changes += difference(place, list(weights), new)
            loss['class_weight'] = new
        return changes


def class_heads(node: object, place: str, of: str = '') -> Iterator[ClassHead]:
    """The configs inside heads, cascades included, that count the data set's classes.

    Args:
        node: Config of a model, or of a part of it.
        place: Its key.
        of: The key of the head that it is inside of.
    """
    if isinstance(node, MutableMapping):
        number = THINGS if of in MASK_HEADS else NUMBER
        if of and node.get(number) is not None:
            yield ClassHead(node, place, number)
        for key, part in node.items():
            inside = key if key in CLASS_HEADS + MASK_HEADS else of
            yield from class_heads(part, f'{place}.{key}', inside)
    elif isinstance(node, (list, tuple)):
        for at, part in enumerate(node):
            yield from class_heads(part, f'{place}.{at}', of)
