"""A real browser shows the page: nothing is cut on a phone, on paper, or in the dark."""

import pytest

from rethink_det.report.page import write_report
from tests.browser import Browser
from tests.report.whole import whole_study

PHONE, PAPER = 390, 703
"""CSS pixels: a usual phone, and A4 within the margins that the page asks for."""
OUTSIDE = """((width, room) => [...document.querySelectorAll('body *')]
  .filter(one => !(room && one.closest('.scroll')) && !one.closest('details:not([open])'))
  .filter(one => one.getBoundingClientRect().right > width + 0.5)
  .map(one => one.tagName + ' ' + one.textContent.trim().slice(0, 40)))"""
"""Elements that reach beyond a width; ``true`` leaves out what has a scroll bar."""
BRIGHTNESS = """(selector => {
  const one = document.querySelector(selector);
  const [r, g, b] = getComputedStyle(one).%s.match(/[0-9.]+/g).map(Number);
  return (r + g + b) / 765;
})"""


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp('profile')) as one:
        yield one


@pytest.fixture(scope='module')
def page(browser, tmp_path_factory):  # after the browser: without one, nothing is drawn
    folder = tmp_path_factory.mktemp('study')
    whole_study(folder)
    return write_report(folder)['html']


def brightness(browser, selector, of):
    return browser.ask(f'{BRIGHTNESS % of}("{selector}")')


@pytest.mark.parametrize('width', [PHONE, 768, 1280])
def test_nothing_is_cut_on_a_screen(page, browser, width):
    browser.show(page, width)
    assert browser.ask('document.documentElement.scrollWidth') <= width
    assert browser.ask(f'{OUTSIDE}({width}, true)') == []
    scrolling = browser.ask(
        "[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth"
        " || getComputedStyle(one).overflowX == 'auto')"
    )
    assert scrolling


def test_on_a_phone_scores_and_intervals_are_seen_without_scrolling(page, browser):
    browser.show(page, PHONE)
    right = browser.ask(
        "Math.max(...[...document.querySelectorAll('.wide td')]"
        '.map(one => one.getBoundingClientRect().right))'
    )
    assert 0 < right <= PHONE


def test_nothing_is_cut_on_paper(page, browser, tmp_path):
    browser.show(page, PAPER, media='print')
    assert browser.ask(f'{OUTSIDE}({PAPER}, false)') == []
    assert browser.ask("getComputedStyle(document.querySelector('.scroll')).overflowX") == 'visible'
    browser.printed(tmp_path / 'page.pdf')
    assert (tmp_path / 'page.pdf').read_bytes()[:4] == b'%PDF'


def test_a_check_that_finds_nothing_would_find_what_is_cut(page, browser):
    browser.show(page, PHONE)
    browser.ask("document.querySelector('h1').style.width = '500px'")
    assert browser.ask(f'{OUTSIDE}({PHONE}, true)')


@pytest.mark.parametrize('dark', [False, True])
def test_texts_and_plots_stand_out_in_light_and_dark(page, browser, dark):
    browser.show(page, 1280, dark=dark)
    card = brightness(browser, 'section', 'backgroundColor')
    assert (card < 0.2) is dark
    for selector, of in (('.sentence', 'color'), ('figure svg text', 'fill'), ('.mark *', 'fill')):
        assert abs(brightness(browser, selector, of) - card) > 0.35


def test_paper_is_white_for_a_reader_in_the_dark(page, browser):
    browser.show(page, PAPER, dark=True, media='print')
    assert brightness(browser, '.sentence', 'color') < 0.3
