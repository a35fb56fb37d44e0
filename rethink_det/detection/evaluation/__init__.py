"""How good a detector is: COCO's and VOC's metrics, evaluated fast, and their curves."""
