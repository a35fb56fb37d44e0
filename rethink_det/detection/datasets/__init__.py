"""What a detector is trained on: COCO folders and VOC devkits, looked at beforehand."""
