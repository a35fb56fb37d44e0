"""Another backbone in a segmenter's config, and everything that depends on it."""
