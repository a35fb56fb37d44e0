"""The start page and others that are files elsewhere in the repository: their links are turned."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = 'index.md'
PAGES = {
    START: 'README.md',
    'changelog.md': 'CHANGELOG.md',
    'contributing.md': 'CONTRIBUTING.md',
    'studies_of_the_paper.md': 'configs/studies/paper/README.md',
    'studies_on_coco.md': 'configs/studies/detection/README.md',
}
"""Pages by their files."""
WIDE = '---\nhide: [navigation]\n---\n\n'
"""In front of a page without the list of pages of its section, which has one."""
_LINK = re.compile(r'(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#]+)(#[^)]*)?\)')


def pages() -> dict[str, str]:
    """The pages, by their paths."""
    texts = {page: turned((ROOT / file).read_text(), file) for page, file in PAGES.items()}
    return {**texts, START: WIDE + texts[START]}


def turned(text: str, file: str) -> str:
    """A text whose links are those of the site.

    What is in the repository and not on the site stays as words.

    Args:
        text: Markdown.
        file: Where it stands, from the repository's root.

    Raises:
        ValueError: A link leads to nothing in the repository.
    """
    places = {(ROOT / source).resolve(): page for page, source in PAGES.items()}

    def link(match: re.Match[str]) -> str:
        picture, words, target, anchor = match.groups()
        if '://' in target:
            return match.group()
        path = ((ROOT / file).parent / target).resolve()
        if not path.exists():
            raise ValueError(f'{file}: {target} is nowhere')
        if path.is_relative_to(ROOT / 'docs'):
            place = path.relative_to(ROOT / 'docs').as_posix()
        elif path in places:
            place = places[path]
        else:
            return words
        return f'{picture}[{words}]({place}{anchor or ""})'

    return _LINK.sub(link, text)
