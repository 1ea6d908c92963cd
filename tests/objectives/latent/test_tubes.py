import pytest
import torch
from merkwelt.objectives.latent.tubes import blank, draw_tubes


def _tubes(batch=200, rows=12, columns=16, *, blocks=1, share=0.15, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return draw_tubes(batch, rows, columns, blocks=blocks, share=share, generator=generator)


def test_one_block_is_a_full_rectangle_of_the_asked_share():
    hidden = _tubes()
    for each in hidden:
        where = each.nonzero()
        height, width = (where.amax(dim=0) - where.amin(dim=0) + 1).tolist()
        assert int(each.sum()) == height * width
    # Sides are rounded to whole places, so single blocks are off by up to a side.
    assert float(hidden.float().mean()) == pytest.approx(0.15, abs=0.01)


def test_blocks_fall_everywhere():
    assert _tubes().any(dim=0).all()


def test_several_blocks_are_a_union():
    few, many = _tubes(blocks=1), _tubes(blocks=4)
    share = float(many.float().mean())
    assert float(few.float().mean()) < share <= 4 * 0.16


@pytest.mark.parametrize(("blocks", "share"), [(1, 0.001), (8, 0.9)])
def test_something_is_hidden_and_something_is_left(blocks, share):
    hidden = _tubes(batch=20, rows=3, columns=3, blocks=blocks, share=share).flatten(1)
    assert hidden.any(dim=1).all()
    assert not hidden.all(dim=1).any()


def test_the_same_generator_draws_the_same():
    assert torch.equal(_tubes(seed=3), _tubes(seed=3))
    assert not torch.equal(_tubes(seed=3), _tubes(seed=4))


@pytest.mark.parametrize("size", [12, 18, 20])
def test_hidden_places_are_grey_through_the_clip_and_others_are_left(size):
    clips = torch.rand(2, 2, 3, 3, size, size, generator=torch.Generator().manual_seed(0))
    hidden = torch.zeros(2, 3, 3, dtype=torch.bool)
    hidden[0, 0, 1] = hidden[1, 2, 0] = True
    blanked = blank(clips, hidden)
    for row in range(size):
        for column in range(size):
            # A place of the map stands for its share of the picture.
            place = int((row + 0.5) * 3 / size), int((column + 0.5) * 3 / size)
            for clip in range(2):
                now = blanked[clip, ..., row, column]
                if hidden[clip][place]:
                    assert (now == 0.5).all()
                else:
                    assert torch.equal(now, clips[clip, ..., row, column])
