import pytest
from merkwelt.alignment.models.published_models import read_published_models
from scipy.stats import spearmanr


def test_the_published_table_is_read_to_its_last_row(shared_data):
    models = read_published_models(shared_data / "clickme" / "published_alignment.csv")
    exact = [model for model in models if model.exact]
    assert (len(models), len(exact)) == (376, 367)
    found = spearmanr([m.top1_percent for m in exact], [m.spearman for m in exact]).statistic
    # Stated to four digits beside the table.
    assert found == pytest.approx(-0.7692, abs=5e-5)
    best = max(exact, key=lambda model: model.spearman)
    assert best.spearman == pytest.approx(0.526, abs=5e-4)


def test_other_tables_are_refused(tmp_path):
    table = tmp_path / "table.csv"
    with pytest.raises(FileNotFoundError, match="expected a table of published models"):
        read_published_models(table)
    table.write_text("model,top1\nalexnet,56\n")
    with pytest.raises(ValueError, match=r"missing \['spearman_raw', 'params_M', 'precision'\]"):
        read_published_models(table)
    table.write_text("model,top1,spearman_raw,params_M,precision\nalexnet,high,0.1,60,exact\n")
    with pytest.raises(ValueError, match=r"in line 2 of table\.csv"):
        read_published_models(table)
