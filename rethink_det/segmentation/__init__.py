"""Segmenters: adapting any config of mmsegmentation, their data, mIoU."""

from rethink_det.segmentation.segmenter import check_segmenter, is_segmenter

__all__ = ['check_segmenter', 'is_segmenter']
