"""What an exported file says that it is, beside what its network is: keys of its metadata."""

KIND, INPUT = 'kind', 'input'
"""Which of the kinds below it is, and of the first two how pictures are made ready for it."""

CLASSIFIER, DETECTOR, FEATURES, HEADS = 'classifier', 'detector', 'features', 'heads'
"""What puts out scores, detections, feature maps, what heads put out before that is chosen from."""
