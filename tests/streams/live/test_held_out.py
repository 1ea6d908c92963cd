from itertools import islice

from merkwelt.streams.live import held_out_clips, is_held_out, training_clips


def test_held_out_and_training_clips_share_none_and_leave_none_out():
    split = {"share": 0.2, "seed": 0}
    held_out = set(islice(held_out_clips(**split), 400))
    last = max(held_out)
    training = {clip for clip in islice(training_clips(**split), last) if clip <= last}
    assert not held_out & training
    assert held_out | training == set(range(last + 1))
    # A binomial share of 2000: five standard deviations are 0.045.
    assert abs(400 / (last + 1) - 0.2) < 0.045


def test_clips_go_on_from_anywhere_and_depend_on_the_seed():
    split = {"share": 0.3, "seed": 4}
    some = list(islice(training_clips(**split), 50))
    assert list(islice(training_clips(start=some[20], **split), 30)) == some[20:]
    other = [is_held_out(clip, share=0.3, seed=5) for clip in range(50)]
    assert other != [is_held_out(clip, share=0.3, seed=4) for clip in range(50)]
