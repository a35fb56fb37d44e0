"""Data sets as tools export them: the folders, files and keys that each of them writes."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as Tree

from tests.tiny_data import picture

CLASSES = ('ship', 'traffic light', 'house')
UPLOADED = '1a2b3c4d-'


class Thing(NamedTuple):
    """An object: its class, and x, y, width, height in pixels."""

    name: str
    box: tuple


class Photo(NamedTuple):
    """A picture's file, its size and its objects."""

    path: Path
    width: int
    height: int
    things: tuple


def drawn_photos(folder, count=10):
    """Pictures of noise with two objects each, but for the last, which has none."""
    folder.mkdir(parents=True)
    photos = []
    for number in range(count):
        width, height = 96 + 8 * number, 64
        path = folder / f'photo {number}.jpg'
        picture(number, width, height).save(path)
        boxes = [(8 + number, 6, 40, 30), (30, 20 + number, 28.5, 21)]
        things = [Thing(CLASSES[(number + n) % 3], box) for n, box in enumerate(boxes)]
        photos.append(Photo(path, width, height, tuple(things) if number < count - 1 else ()))
    return photos


def coco_photos(file, folder, count=10):
    """The first pictures of a COCO file."""
    content = json.loads(file.read_text())
    names = {one['id']: one['name'] for one in content['categories']}
    things = {image['id']: [] for image in content['images']}
    for one in content['annotations']:
        things[one['image_id']].append(Thing(names[one['category_id']], tuple(one['bbox'])))
    return [
        Photo(folder / one['file_name'], one['width'], one['height'], tuple(things[one['id']]))
        for one in content['images'][:count]
    ]


def names_of(photos):
    return sorted({one.name for photo in photos for one in photo.things})


def copied(photos, folder, prefix=''):
    folder.mkdir(parents=True, exist_ok=True)
    for photo in photos:
        shutil.copyfile(photo.path, folder / f'{prefix}{photo.path.name}')


def write(content, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def corners(box):
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def coco(photos, names, image='{}', first=1, polygons=False, without=()):
    """A COCO file's content, category ids from ``first``; without some keys."""
    images, objects = [], []
    for number, photo in enumerate(photos):
        name = image.format(photo.path.name)
        size = dict(width=photo.width, height=photo.height)
        images.append(dict(id=number, file_name=name, license=0, date_captured='', **size))
        for one in photo.things:
            objects.append(
                dict(
                    id=len(objects),
                    image_id=number,
                    category_id=names.index(one.name) + first,
                    bbox=list(one.box),
                    area=one.box[2] * one.box[3],
                    segmentation=[corners(one.box)] if polygons else [],
                    iscrowd=0,
                    ignore=0,
                    attributes=dict(occluded=False),
                )
            )
    categories = [dict(id=i, name=n, supercategory='') for i, n in enumerate(names, first)]
    for row in images + objects:
        for key in without:
            row.pop(key, None)
    return dict(info=dict(year=2026), images=images, annotations=objects, categories=categories)


def labels(photo, names, polygons=False):
    """A text of YOLO's format."""
    lines = []
    for one in photo.things:
        x, y, width, height = one.box
        shares = [(x + width / 2) / photo.width, (y + height / 2) / photo.height]
        shares += [width / photo.width, height / photo.height]
        if polygons:
            sides = (photo.width, photo.height)
            shares = [value / sides[n % 2] for n, value in enumerate(corners(one.box))]
        lines.append(' '.join([str(names.index(one.name)), *(f'{share:.6f}' for share in shares)]))
    return '\n'.join(lines)


def xml(photo, folder, extension=True, first=1):
    """A text of VOC's format; corners count from ``first``."""
    root = Tree.Element('annotation')
    Tree.SubElement(root, 'folder').text = folder
    Tree.SubElement(root, 'filename').text = photo.path.name if extension else photo.path.stem
    size = Tree.SubElement(root, 'size')
    for key, value in (('width', photo.width), ('height', photo.height), ('depth', 3)):
        Tree.SubElement(size, key).text = str(value)
    for one in photo.things:
        node = Tree.SubElement(root, 'object')
        Tree.SubElement(node, 'name').text = one.name
        Tree.SubElement(node, 'difficult').text = '0'
        box = Tree.SubElement(node, 'bndbox')
        x, y, width, height = one.box
        ends = dict(xmin=x + first, ymin=y + first, xmax=x + width + first, ymax=y + height + first)
        for key, value in ends.items():
            Tree.SubElement(box, key).text = str(value)
    return Tree.tostring(root, encoding='unicode')


def roboflow_yolo(root, train, val):
    names = names_of(train + val)
    for split, photos in (('train', train), ('valid', val)):
        copied(photos, root / split / 'images')
        for photo in photos:
            write(labels(photo, names), root / split / 'labels' / f'{photo.path.stem}.txt')
    write(
        'train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n'
        f'nc: {len(names)}\nnames: {names}\n\nroboflow:\n  workspace: me\n  version: 1\n',
        root / 'data.yaml',
    )
    shutil.copytree(root / 'valid', root / 'test')


def ultralytics(root, train, val, polygons=False):
    names = names_of(train + val)
    for split, photos in (('train', train), ('val', val)):
        copied(photos, root / 'images' / split)
        for photo in photos:
            if photo.things:  # no file for a picture without objects
                text = labels(photo, names, polygons)
                write(text, root / 'labels' / split / f'{photo.path.stem}.txt')
    numbered = ''.join(f'  {number}: {name}\n' for number, name in enumerate(names))
    write(
        'path: ../datasets/mine # root\ntrain: images/train\nval: images/val\ntest:\n'
        f'names:\n{numbered}download: https://example.com/mine.zip\n',
        root / 'mine.yaml',
    )


def ultralytics_polygons(root, train, val):
    ultralytics(root, train, val, polygons=True)


def ultralytics_lists(root, train, val):
    ultralytics(root, train, val)
    for split, photos in (('train', train), ('val', val)):
        lines = [f'./images/{split}/{photo.path.name}' for photo in photos]
        write('\n'.join(lines), root / f'{split}.txt')
    file = root / 'mine.yaml'
    text = file.read_text().replace('images/train', 'train.txt').replace('images/val', 'val.txt')
    file.write_text(text.replace('../datasets/mine', '.'))


def cvat_yolo(root, train, val):
    names = names_of(train + val)
    for folder, photos in (('obj_train_data', train), ('obj_Validation_data', val)):
        copied(photos, root / folder)
        for photo in photos:
            write(labels(photo, names), root / folder / f'{photo.path.stem}.txt')
        lines = [f'data/{folder}/{photo.path.name}' for photo in photos]
        write('\n'.join(lines), root / f'{folder[4:-5]}.txt')
    write('\n'.join(names) + '\n', root / 'obj.names')
    write(f'classes = {len(names)}\ntrain = data/train.txt\n', root / 'obj.data')


def label_studio_yolo(root, photos):
    names = names_of(photos)
    copied(photos, root / 'images', UPLOADED)
    for photo in photos:
        write(labels(photo, names), root / 'labels' / f'{UPLOADED}{photo.path.stem}.txt')
    write('\n'.join(names), root / 'classes.txt')
    write(dict(categories=[], info=dict(year=2026)), root / 'notes.json')


def roboflow_voc(root, train, val):
    for split, photos in (('train', train), ('valid', val)):
        copied(photos, root / split)
        for photo in photos:
            write(xml(photo, ''), root / split / f'{photo.path.stem}.xml')


def voc(root, train, val, kit=''):
    for split, photos in (('train', train), ('val', val)):
        copied(photos, root / kit / 'JPEGImages')
        for photo in photos:
            file = root / kit / 'Annotations' / f'{photo.path.stem.replace(" ", "_")}.xml'
            write(xml(photo, 'VOC2012'), file)
        lines = '\n'.join(photo.path.stem.replace(' ', '_') for photo in photos) + '\n'
        write(lines, root / kit / 'ImageSets' / 'Main' / f'{split}.txt')
        write(lines.replace('\n', '  1\n'), root / kit / 'ImageSets/Main' / f'ship_{split}.txt')


def voc_devkit(root, train, val):
    voc(root, train, val, 'VOCdevkit/VOC2012')


def kaggle_voc(root, photos):
    copied(photos, root / 'images')
    for photo in photos:
        write(xml(photo, 'images'), root / 'annotations' / f'{photo.path.stem}.xml')


def labelimg(root, photos):
    copied(photos, root)
    for photo in photos:
        write(xml(photo, 'photos', extension=False), root / f'{photo.path.stem}.xml')


def cvat_voc(root, photos):
    """CVAT's corners count from 0."""
    copied(photos, root / 'JPEGImages')
    for photo in photos:
        write(xml(photo, '', first=0), root / 'Annotations' / f'{photo.path.stem}.xml')
    names = [photo.path.stem.replace(' ', '_') for photo in photos]
    for photo, name in zip(photos, names, strict=True):
        (root / 'Annotations' / f'{photo.path.stem}.xml').rename(
            root / 'Annotations' / f'{name}.xml'
        )
    write('\n'.join(names), root / 'ImageSets/Main/default.txt')
    write('# label:color_rgb:parts:actions\nship:1,2,3::\n', root / 'labelmap.txt')


def roboflow_coco(root, train, val):
    names = names_of(train + val)
    for split, photos in (('train', train), ('valid', val)):
        copied(photos, root / split)
        content = coco(photos, names)
        content['categories'].insert(0, dict(id=0, name='things-a1b2', supercategory='none'))
        write(content, root / split / '_annotations.coco.json')


def cvat_coco(root, train, val):
    names = names_of(train + val)
    for subset, photos in (('Train', train), ('Validation', val)):
        copied(photos, root / 'images' / subset)
        write(coco(photos, names), root / 'annotations' / f'instances_{subset}.json')


def cvat_coco_whole(root, photos):
    copied(photos, root / 'images' / 'default')
    write(coco(photos, names_of(photos)), root / 'annotations/instances_default.json')


def label_studio(root, photos, image='images/{}', prefix=UPLOADED):
    copied(photos, root / 'images', prefix)
    name = image.replace('{}', UPLOADED + '{}')
    write(coco(photos, names_of(photos), name, first=0), root / 'result.json')


def label_studio_windows(root, photos):
    label_studio(root, photos, 'images\\{}')


def label_studio_upload(root, photos):
    label_studio(root, photos, '/data/upload/3/{}')


def label_studio_address(root, photos):
    label_studio(root, photos, 'http://localhost:8080/data/upload/3/{}', prefix='')


def label_studio_local(root, photos):
    copied(photos, root / 'images')
    image = '/data/local-files/?d=photos/{}'
    write(coco(photos, names_of(photos), image, first=0), root / 'result.json')


def labelme(root, photos):
    """By the example script of LabelMe."""
    copied(photos, root / 'JPEGImages')
    names = ['_background_', *names_of(photos)]
    content = coco(photos, names, 'JPEGImages/{}', first=0, polygons=True)
    write(content, root / 'annotations.json')


def labelme2coco(root, train, val):
    """By the package of that name, with a share for training."""
    names = names_of(train + val)
    for split, photos in (('train', train), ('val', val)):
        copied(photos, root / 'labelme')
        write(coco(photos, names, 'labelme/{}', polygons=True), root / f'{split}.json')


def lacking(root, train, val):
    """By scripts of one's own."""
    names = names_of(train + val)
    for split, photos in (('train', train), ('val', val)):
        copied(photos, root / split)
        content = coco(photos, names, without=('iscrowd', 'area', 'segmentation', 'width'))
        for one in content['annotations']:
            del one['id']
        write(content, root / 'annotations' / f'instances_{split}.json')


DIVIDED = {
    'roboflow yolo': roboflow_yolo,
    'ultralytics': ultralytics,
    'ultralytics polygons': ultralytics_polygons,
    'ultralytics lists': ultralytics_lists,
    'cvat yolo': cvat_yolo,
    'roboflow voc': roboflow_voc,
    'voc': voc,
    'voc devkit': voc_devkit,
    'roboflow coco': roboflow_coco,
    'cvat coco': cvat_coco,
    'labelme2coco': labelme2coco,
    'keys absent': lacking,
}
"""Exports with a part for training and one for validation."""
WHOLE = {
    'label studio yolo': label_studio_yolo,
    'voc without lists': kaggle_voc,
    'labelimg': labelimg,
    'cvat voc': cvat_voc,
    'cvat coco of one subset': cvat_coco_whole,
    'label studio': label_studio,
    'label studio on windows': label_studio_windows,
    'label studio, uploaded': label_studio_upload,
    'label studio, by address': label_studio_address,
    'label studio, local files': label_studio_local,
    'labelme': labelme,
}
"""Exports of one part."""
