import pytest
import torch
from merkwelt.scenes.table_storage import pack_tables, unpack_tables

LEVELS = {"grid.table": 3}


def _tensors():
    generator = torch.Generator().manual_seed(0)
    size = torch.tensor([0.01, 1.0, 100.0]).repeat_interleave(8)[:, None]
    table = torch.randn(24, 2, generator=generator) * size
    return {"grid.table": table, "base.0.bias": torch.randn(5, generator=generator)}


@pytest.mark.parametrize(
    ("storage", "share"), [("single", 0.0), ("half", 1e-3), ("byte", 0.5 / 127)]
)
def test_each_level_is_kept_to_a_share_of_its_largest_entry(storage, share):
    tensors = _tensors()
    back = unpack_tables(pack_tables(tensors, storage, LEVELS))
    assert back.keys() == tensors.keys()
    assert torch.equal(back["base.0.bias"], tensors["base.0.bias"])
    for level, found in zip(
        tensors["grid.table"].split(8), back["grid.table"].split(8), strict=True
    ):
        assert float((level - found).abs().max()) <= share * float(level.abs().max()) * 1.0001


def test_packing_again_changes_nothing():
    once = unpack_tables(pack_tables(_tensors(), "byte", LEVELS))
    again = unpack_tables(pack_tables(once, "byte", LEVELS))
    torch.testing.assert_close(once["grid.table"], again["grid.table"], rtol=1e-6, atol=0)


def test_empty_levels_stay_empty():
    tensors = {"grid.table": torch.zeros(24, 2)}
    assert not unpack_tables(pack_tables(tensors, "byte", LEVELS))["grid.table"].any()


def test_forms_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="'quarter'"):
        pack_tables(_tensors(), "quarter", LEVELS)
