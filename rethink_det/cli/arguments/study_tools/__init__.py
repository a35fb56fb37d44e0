"""What ``rethink-det study WORD DIR`` may be told, one light module a word."""
