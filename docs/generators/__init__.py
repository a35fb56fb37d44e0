"""Pages of the site that follow from the code, so that each fact stands once.

``hooks.py`` is what mkdocs calls; every other module makes pages of one kind, as texts by the
path of the page. Nothing of it is written into the repository.
"""
