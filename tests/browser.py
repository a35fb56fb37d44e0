"""A real browser, driven by its DevTools protocol over a pipe: what a reader of a page sees."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--no-first-run',
    '--disable-dev-shm-usage',
)
INCH = 25.4


def find_browser():
    """The program of one, or the test is skipped."""
    named = os.environ.get('RETHINK_DET_BROWSER')
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f'no browser: install one of {", ".join(NAMES)}, or set RETHINK_DET_BROWSER')
    return found


class Browser:
    """One page in a browser.

    Args:
        profile: An empty folder for what it keeps.
    """

    def __init__(self, profile):
        (ours, to), (back, answers) = os.pipe(), os.pipe()

        def connect():  # as the protocol wants it; first out of the way of 3 and 4
            free = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (ours, answers)]
            os.dup2(free[0], 3)
            os.dup2(free[1], 4)

        command = [find_browser(), *FLAGS, '--remote-debugging-pipe', f'--user-data-dir={profile}']
        self._process = subprocess.Popen(
            [*command, 'about:blank'], preexec_fn=connect, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(ours)
        os.close(answers)
        self._to, self._from, self._unread = to, back, b''
        self._count, self._session = 0, None
        target = self('Target.createTarget', url='about:blank')['targetId']
        self._session = self('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        self('Page.enable')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session = None
        self('Browser.close')
        self._process.wait(30)
        os.close(self._to)
        os.close(self._from)

    def __call__(self, method, **params):
        """What a command of the protocol answers."""
        self._count += 1
        message = dict(id=self._count, method=method, params=params)
        if self._session:
            message['sessionId'] = self._session
        os.write(self._to, json.dumps(message).encode() + b'\0')
        return self._receive(lambda got: got.get('id') == self._count)['result']

    def _receive(self, wanted):
        while True:
            while b'\0' not in self._unread:
                more = os.read(self._from, 1 << 16)
                assert more, 'the browser has ended'
                self._unread += more
            text, _, self._unread = self._unread.partition(b'\0')
            got = json.loads(text)
            if wanted(got):
                assert 'error' not in got, got
                return got

    def show(self, path, width, height=900, scale=1.0, dark=False, media='screen'):
        """Open a file in a window of so many CSS pixels."""
        self(
            'Emulation.setDeviceMetricsOverride',
            width=width, height=height, deviceScaleFactor=scale, mobile=width < 600,
        )  # fmt: skip
        scheme = dict(name='prefers-color-scheme', value='dark' if dark else 'light')
        self('Emulation.setEmulatedMedia', media=media, features=[scheme])
        self('Page.navigate', url=Path(path).resolve().as_uri())
        self._receive(lambda got: got.get('method') == 'Page.loadEventFired')

    def ask(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = self('Runtime.evaluate', expression=expression, returnByValue=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result']['value']

    def picture(self, path):
        """The whole page as PNG."""
        shot = self('Page.captureScreenshot', captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot['data']))

    def printed(self, path, width=210, height=297):
        """The page as PDF, on paper of so many millimetres."""
        self('Emulation.setEmulatedMedia', media='')
        paper = dict(paperWidth=width / INCH, paperHeight=height / INCH)
        pdf = self('Page.printToPDF', printBackground=True, **paper)
        Path(path).write_bytes(base64.b64decode(pdf['data']))
