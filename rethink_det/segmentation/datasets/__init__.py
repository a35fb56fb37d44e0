"""Pictures with a map of class numbers each."""
