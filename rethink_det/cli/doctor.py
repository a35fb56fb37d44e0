"""What ``rethink-det doctor`` does."""

import argparse
import json
from dataclasses import asdict

from rethink_det.doctor import examine, page
from rethink_det.files import plain


def run(options: argparse.Namespace) -> int:
    """Examine and print; 2 if something is missing without which nothing works."""
    findings = examine()
    essential_missing = any(finding.essential_missing for finding in findings.values())
    if options.json:
        checks = {name: plain(asdict(finding)) for name, finding in findings.items()}
        answer = {'essential_missing': essential_missing, 'checks': checks}
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        print(page(findings))
    return 2 if essential_missing else 0
