"""What each command may be told, one light module a command: no library is imported for it.

Its docstring is what the command says of itself. ``--help`` and a mistake on the command line are
answered from here; what a command does, ``run(options)``, is in the module of its name above, which
is imported when its arguments are understood.
"""
