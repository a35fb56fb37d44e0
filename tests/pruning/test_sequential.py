"""What is given to all pruners that look at images layer after layer."""

import pytest

from rethink_det import UserError
from rethink_det.pruning import ThiNetPruner


@pytest.mark.parametrize('images', [0, 1.5, 'all', True])
def test_images_that_are_no_count_are_refused(images):
    with pytest.raises(UserError, match=f'ThiNetPruner needs at least 1 image .*images={images!r}'):
        ThiNetPruner(ratios=0.5, images=images)


@pytest.mark.parametrize('locations', [-1, float('nan'), None])
def test_locations_that_are_no_count_are_refused(locations):
    with pytest.raises(UserError, match=f'and 1 location, got .*locations={locations!r}'):
        ThiNetPruner(ratios=0.5, locations=locations)
