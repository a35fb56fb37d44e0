"""What mkdocs calls: generated pages join those in ``docs/`` and the table of contents."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs.generators import api, arms, commands, pruners, root_files, study_keys

SECTIONS = {'pruners/': pruners.pages, 'api/': api.pages}
"""Entries of the table of contents that stand for all pages that a generator makes."""


def generated() -> dict[str, str]:
    """All generated pages, by their path in the site.

    Raises:
        ValueError: Something that a page is made of has no docstring, or lacks a part of it.
    """
    parts = (api, arms, commands, pruners, root_files, study_keys)
    return {path: text for part in parts for path, text in part.pages().items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of :data:`SECTIONS` into the table of contents."""
    config.nav = [
        {title: list(SECTIONS[place]()) if str(place) in SECTIONS else place}
        for entry in config.nav or ()
        for title, place in entry.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in generated().items():
        files.append(File.generated(config, path, content=text))
    return files
