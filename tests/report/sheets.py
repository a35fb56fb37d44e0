"""What a detector leaves for the contact sheet."""

import base64
import io

import numpy as np
from hotcoco import mask as mask_tools
from PIL import Image


def jpeg(width=96, height=48):
    buffer = io.BytesIO()
    Image.new('RGB', (width, height), '#404040').save(buffer, 'JPEG')
    return base64.b64encode(buffer.getvalue()).decode()


def rle(height=48, width=96):
    mask = np.zeros((height, width), np.uint8, order='F')
    mask[12:36, 24:72] = 1
    found = mask_tools.encode(mask)
    return {'size': list(found['size']), 'counts': found['counts'].decode()}


def sheet(score, masks=True):
    """What a run leaves: two images, of which the second has nothing found."""
    one = dict(boxes=[[24, 12, 72, 36]], labels=[1], **(dict(masks=[rle()]) if masks else {}))
    picture = dict(width=96, height=48, jpeg=jpeg(), truth={**one, 'masks': [rle()]})
    nothing = dict(boxes=[], labels=[], scores=[], **(dict(masks=[]) if masks else {}))
    found = [{**one, 'scores': [score]}, nothing]
    images = [dict(id=str(i), **picture, found=each) for i, each in enumerate(found)]
    return dict(classes=['dog', '<cat>'], threshold=0.3, images=images)
