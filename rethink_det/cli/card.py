"""What ``rethink-det card`` does."""

import argparse
from pathlib import Path

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.cli.output import check_output
from rethink_det.files import save_text
from rethink_det.report.model_card import model_card


def run(options: argparse.Namespace) -> int:
    """Print or write the card."""
    card = model_card(Checkpoint.read(options.checkpoint))
    if not options.out:
        print(card, end='')
        return 0
    check_output(options.out, (options.checkpoint,), options.force)
    save_text(card, options.out)
    print(f'wrote {Path(options.out)}')
    return 0
