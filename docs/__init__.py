"""The documentation: pages, and what makes those that follow from the code."""
