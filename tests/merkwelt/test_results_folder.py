import json

import pytest
from merkwelt.alignment.results import FORMAT

from merkwelt.results_folder import free_for


def test_an_empty_a_new_and_ones_own_folder_are_free(tmp_path):
    assert free_for(tmp_path, FORMAT) == tmp_path
    assert free_for(tmp_path / "new", FORMAT) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
    (tmp_path / "results.json").write_text(json.dumps({"format": FORMAT}))
    assert free_for(tmp_path, FORMAT) == tmp_path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", "{}", "folder of a training run"),
        ("experiment.json", "{}", "folder of an experiment"),
        ("results.json", json.dumps({"format": "merkwelt comparison"}), "holds merkwelt comp"),
        ("results.json", json.dumps({"format": 3}), "holds something else"),
        ("results.json", "[1, 2]", "holds something else"),
        ("results.json", "no JSON", "holds something else"),
    ],
)
def test_what_belongs_to_something_else_is_not_replaced(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(FileExistsError, match=said):
        free_for(tmp_path, FORMAT)
    assert (tmp_path / name).read_text() == content


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(FileExistsError, match="is a file; name a folder"):
        free_for(tmp_path / "out", FORMAT)
