"""The disk that runs are kept on."""

from rethink_det.doctor.hardware import check_disk


def test_disk_of_the_nearest_folder_that_exists(tmp_path):
    found = check_disk(tmp_path / 'a' / 'b')
    assert found.facts['total_gb'] > 0
    assert found.facts['writable']
    assert not (tmp_path / 'a').exists()
    (tmp_path / 'a').touch()  # a file, where the folder should be
    assert not check_disk(tmp_path / 'a').abilities[0].works
