import torch
import torch.nn.functional as F
from merkwelt.objectives.cross_eye.rows import hits, own_columns, row_scores


def _maps(*, seed):
    return torch.randn(2, 5, 3, 4, 6, generator=torch.Generator().manual_seed(seed))


def test_scores_are_those_of_a_loop():
    left, right = _maps(seed=0), _maps(seed=1)
    scores = row_scores(left, right)
    assert scores.shape == (3, 4, 12, 12)
    for t in range(3):
        for y in range(4):
            for b in range(2):
                for x in range(6):
                    one = left[b, :, t, y, x].expand(12, -1)
                    others = right[:, :, t, y].transpose(1, 2).flatten(0, 1)
                    expected = F.cosine_similarity(one, others, dim=1)
                    got = scores[t, y, b * 6 + x]
                    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-5)


def test_the_own_column_wins_where_both_eyes_see_the_same():
    same = _maps(seed=0)
    scores, answers = row_scores(same, same), own_columns(2, 6)
    assert answers.tolist() == list(range(12))
    assert hits(scores, answers).min() == 1
    moved = row_scores(same, same.roll(1, dims=-1))
    assert hits(moved, answers).max() == 0


def test_columns_that_look_alike_are_no_hit():
    alike = torch.ones(2, 5, 3, 4, 6)
    assert hits(row_scores(alike, alike), own_columns(2, 6)).max() == 0


def test_candidates_of_other_ranks_come_first():
    assert own_columns(2, 3, first_clip=4).tolist() == [12, 13, 14, 15, 16, 17]
