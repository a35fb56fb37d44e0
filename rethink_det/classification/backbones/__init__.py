"""Backbones of classifiers, one a file."""
