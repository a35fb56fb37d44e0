"""What ``rethink-det init`` does."""

import argparse
from pathlib import Path

from rethink_det.cli.output import check_output
from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.study import Study
from rethink_det.study.template import study_template


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
