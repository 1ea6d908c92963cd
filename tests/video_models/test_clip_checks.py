import pytest
import torch
from merkwelt.video_models.clip_checks import check_clips, check_eyes, check_groups, check_positive


def test_unknown_ways_to_see_with_two_eyes_are_refused():
    check_eyes(1, "concat")
    with pytest.raises(ValueError, match="stereo to be one of .* got 'cyclopean'"):
        check_eyes(2, "cyclopean")


def test_all_wrong_numbers_are_named():
    check_positive(depth=1)
    with pytest.raises(ValueError, match="only positive numbers, got depth 0, heads -1"):
        check_positive(depth=0, width=3, heads=-1)
    with pytest.raises(ValueError, match="divisible by norm_groups 4, got inner 6, outer 0"):
        check_groups(4, inner=6, middle=8, outer=0)


def test_clips_of_other_axes_are_refused():
    with pytest.raises(ValueError, match=r"got the shape \[2, 3, 4, 8, 8\]"):
        check_clips(torch.zeros(2, 3, 4, 8, 8), eyes=1, image_channels=3, config_name="NetConfig")
    clips = torch.zeros(1, 1, 3, 3, 16, 16)
    with pytest.raises(ValueError, match="that 2 divides, got 3; each time step of Net stands"):
        check_clips(clips, eyes=1, image_channels=3, config_name="NetConfig", frames_per_step=2)
