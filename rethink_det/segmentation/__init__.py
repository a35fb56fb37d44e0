"""Segmenters: adapting any config of mmsegmentation, their data, mIoU."""
