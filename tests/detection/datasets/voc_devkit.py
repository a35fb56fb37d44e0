"""A VOCdevkit as the challenge's archives unpack: lists, XML files and images, a few of each."""

from pathlib import Path

from tests.tiny_data import picture

WIDTH, HEIGHT = 96, 64
SPLITS = {'VOC2007': {'trainval': 4, 'test': 3}, 'VOC2012': {'train': 2, 'val': 2}}
OBJECT = """  <object>
    <name>{name}</name><pose>Left</pose><truncated>0</truncated><difficult>{difficult}</difficult>
    <bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>
  </object>
"""
# Name, whether difficult, x1, y1, x2, y2 in pixels from 1: the same in every image.
OBJECTS = (('cat', 0, 5, 5, 44, 48), ('dog', 0, 50, 9, 90, 60), ('cat', 1, 60, 1, 96, 50))


def write_devkit(root: Path) -> Path:
    """Write the folder; give it."""
    for year, splits in SPLITS.items():
        for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
            (root / year / folder).mkdir(parents=True)
        number = 0
        lists = {}
        for split, count in splits.items():
            lists[split] = [f'{year[3:]}_{number + i:06d}' for i in range(count)]
            number += count
            for name in lists[split]:
                picture(number, WIDTH, HEIGHT).save(root / year / 'JPEGImages' / f'{name}.jpg')
                (root / year / 'Annotations' / f'{name}.xml').write_text(annotation(name))
        if year == 'VOC2012':
            lists['trainval'] = [*lists['train'], *lists['val']]
        for split, names in lists.items():
            file = root / year / 'ImageSets/Main' / f'{split}.txt'
            file.write_text(''.join(f'{name}\n' for name in names))
    return root


def annotation(name: str) -> str:
    """The XML file of an image."""
    found = ''.join(
        OBJECT.format(*box, name=kind, difficult=difficult) for kind, difficult, *box in OBJECTS
    )
    size = f'<width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth>'
    return (
        f'<annotation>\n  <filename>{name}.jpg</filename>\n  <size>{size}</size>\n{found}'
        '</annotation>\n'
    )
