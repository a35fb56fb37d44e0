"""What mkdocs calls: generated pages join those in ``docs/`` and the table of contents."""

import re
from posixpath import dirname, join, normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.generators import api, arms, commands, pruners, root_files, study_keys

SECTIONS = {'pruners/': pruners.pages, 'api/': api.pages}
"""Entries of the table of contents that stand for all pages that a generator makes."""

_LINK = re.compile(r'href="((?!\w+:)[^"#]+\.(?:md|ipynb))(#[^"]*)?"')


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


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a notebook to the pages' places in the site, as mkdocs does of Markdown.

    Raises:
        PluginError: A link leads nowhere.
    """
    here = page.file

    def link(match: re.Match[str]) -> str:
        target = normpath(join(dirname(here.src_uri), match[1]))
        file = files.get_file_from_path(target)
        if file is None:
            raise PluginError(f'{here.src_uri}: its link to {match[1]} leads nowhere')
        return f'href="{file.url_relative_to(here)}{match[2] or ""}"'

    is_notebook = here.src_uri.endswith('.ipynb')
    return _LINK.sub(link, html) if is_notebook else html
