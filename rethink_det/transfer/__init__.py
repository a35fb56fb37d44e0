"""Another backbone in any model's config: what detectors and segmenters share of it."""
