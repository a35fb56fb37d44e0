"""Trained networks for other runtimes, compared with PyTorch before anyone gets the file."""
