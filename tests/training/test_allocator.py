"""Memory that is freed stays with the process, where the C library can do that."""

import platform
import resource
import subprocess
import sys

import pytest

STEPS = """
import resource
import torch
from rethink_det.training.allocator import keep_freed_memory

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(6):
        torch.zeros(48 * 2**20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(touched(), keep_freed_memory(), touched())
"""
PAGES = 48 * 2**20 // resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='a setting of glibc')
def test_a_step_touches_no_new_page_where_it_touched_all_before():
    line = [sys.executable, '-c', STEPS]  # a process with its own memory
    before, done, after = subprocess.run(line, check=True, capture_output=True).stdout.split()
    if int(before) < 6 * PAGES:
        pytest.skip('large pages: nothing to save')
    assert done == b'True'
    assert int(after) <= 2 * PAGES
