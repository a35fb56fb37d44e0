"""A classifier that was trained for a second, and its test images as files."""

from tests.tiny_classifier import trained  # noqa: F401
