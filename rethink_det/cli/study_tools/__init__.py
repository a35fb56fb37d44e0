"""``rethink-det study WORD DIR``: what is asked of a study's folder, one module a word.

Each is built as a command is: ``run(options)`` here, its arguments in
:mod:`rethink_det.cli.arguments.study_tools`. A study config of that name is still run as ``./WORD``
or ``WORD.py``.
"""

TOOLS = {
    'status': 'What a study is at: done, running, waiting, failed; and how long the rest takes.',
    'verify': "Check a study's folder: is every finished run still what it left?",
    'why': (
        'Why a run of a study is to be done again: code, data, parent or setting; or that it is '
        'done.'
    ),
    'clean': "Remove from a study's folder what nothing needs: told first, and done with --yes.",
}
"""What each word does; its modules have its name, that of its arguments says more."""
