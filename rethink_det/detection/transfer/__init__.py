"""Another backbone in a detector's config, and everything that depends on it."""
