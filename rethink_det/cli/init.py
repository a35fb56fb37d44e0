"""Write a commented study config for one's own data and backbone, ready to run."""

import argparse
from pathlib import Path

from rethink_det.cli.output import add_force, check_output
from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.study import Study
from rethink_det.study.template import DETECTOR, study_template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        '--data',
        required=True,
        metavar='DIR',
        help='folder of pictures and labels, see train --data-root',
    )
    parser.add_argument(
        '--backbone', required=True, metavar='CHECKPOINT', help='trained classifier, see convert'
    )
    parser.add_argument(
        '--detector', default=DETECTOR, metavar='CONFIG', help=f'default: {DETECTOR}'
    )
    parser.add_argument('-o', '--out', default='study.py', metavar='PY', help='default: study.py')
    add_force(parser)


def run(options: argparse.Namespace) -> int:
    """Write the study, and read it as a run would."""
    out = Path(options.out)
    if not out.stem.isidentifier() or out.suffix != '.py':
        raise UserError(f'--out {out}: a config is a Python file, name it like my_study.py.')
    check_output(out, (options.backbone,), options.force)
    text = study_template(options.data, options.backbone, out, options.detector)
    save_text(text, out)
    try:
        Study.load(out)
    except UserError:
        out.unlink()
        raise
    print(f'wrote {out}; run it by: rethink-det study {out} --work-dir work_dirs/{out.stem}')
    return 0
