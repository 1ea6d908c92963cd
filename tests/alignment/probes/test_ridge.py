import numpy as np
import pytest
from merkwelt.alignment.probes.groups import group_folds, group_interval
from merkwelt.alignment.probes.ridge import fit_ridge
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.preprocessing import StandardScaler


def problem(rows=80, width=12, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, width)) @ rng.normal(size=(width, width)) + 3
    targets = features @ rng.normal(size=(width, 2)) * 0.3 + noise * rng.normal(size=(rows, 2))
    return features, targets


def test_weights_are_those_of_scikit_learn():
    features, targets = problem()
    scaler = StandardScaler().fit(features)
    for penalty in (1e-3, 1.0, 300.0):
        ours = fit_ridge(features, targets, penalties=np.array([penalty]))
        theirs = SklearnRidge(alpha=penalty).fit(scaler.transform(features), targets)
        np.testing.assert_allclose(
            ours(features), theirs.predict(scaler.transform(features)), atol=1e-9
        )


def test_leaving_out_each_row_chooses_as_scikit_learn():
    for seed, noise in ((0, 0.1), (1, 3.0), (2, 30.0)):
        features, targets = problem(seed=seed, noise=noise)
        scaled = StandardScaler().fit_transform(features)
        penalties = 10.0 ** np.arange(-4, 5)
        theirs = RidgeCV(alphas=penalties, alpha_per_target=True).fit(scaled, targets)
        ours = fit_ridge(features, targets, penalties=penalties, selection="loo")
        np.testing.assert_allclose(ours.penalties, theirs.alpha_)


def test_gcv_is_its_formula():
    features, targets = problem(rows=30, width=6)
    penalties = np.array([0.01, 1.0, 100.0, 1e4])
    scaled = StandardScaler().fit_transform(features)
    scores = []
    for penalty in penalties:
        design = np.column_stack([scaled, np.ones(30)])
        hat = design @ np.linalg.solve(design.T @ design + np.diag([penalty] * 6 + [0.0]), design.T)
        residual = targets - hat @ targets
        scores.append(np.square(residual).sum(axis=0) / (30 - np.trace(hat)) ** 2)
    fit = fit_ridge(features, targets, penalties=penalties, selection="gcv")
    np.testing.assert_allclose(fit.penalties, penalties[np.argmin(scores, axis=0)])


def test_groups_choose_the_penalty_that_scikit_learn_finds_by_group_folds():
    # Near copies in groups whose targets have nothing to do with the features.
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(8), 10)
    base = rng.normal(size=(8, 15))[groups] + 0.3 * rng.normal(size=(80, 15))
    target = rng.normal(size=8)[groups] + 0.1 * rng.normal(size=80)
    scaled = StandardScaler().fit_transform(base)
    penalties = 10.0 ** np.arange(-3, 4)
    errors = [
        -cross_val_score(
            SklearnRidge(alpha=penalty),
            scaled,
            target,
            cv=GroupKFold(8),
            groups=groups,
            scoring="neg_mean_squared_error",
        ).mean()
        for penalty in penalties
    ]
    fit = fit_ridge(base, target[:, None], groups=groups, penalties=penalties)
    assert fit.selection == "groups"
    assert fit.penalties[0] == penalties[np.argmin(errors)]
    # Leaving out single rows asks for far less: what groups are for.
    assert fit_ridge(base, target[:, None], penalties=penalties).penalties[0] < fit.penalties[0]


def test_more_features_than_rows_and_constant_features_are_no_trouble():
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=(20, 50)), np.full(20, 7.1)])
    targets = features[:, :1] * 2 + 1
    fit = fit_ridge(features, targets)
    assert fit.weights[-1, 0] == 0
    assert np.isfinite(fit(features)).all()


def test_bad_rows_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        fit_ridge(np.full((4, 2), np.nan), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="two or more groups"):
        fit_ridge(np.eye(4), np.eye(4), groups=np.zeros(4), selection="groups")


def test_folds_hold_out_every_group_once_and_whole():
    groups = np.array(list("aabbbcdddde"))
    folds = group_folds(groups, 3)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([fold.test for fold in folds])), np.arange(11)
    )
    assert all(not set(groups[f.fit]) & set(groups[f.test]) for f in folds)
    with pytest.raises(ValueError, match="at least two groups"):
        group_folds(["a", "a"], 2)


def test_interval_over_groups_is_wider_than_over_rows_that_repeat_them():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=20), 30)
    draws = np.random.default_rng(1)

    def width(groups):
        found = group_interval(lambda rows: float(values[rows].mean()), groups, draws)
        assert found.mean == pytest.approx(values.mean())
        return found.high - found.low

    by_group, by_row = width(np.repeat(np.arange(20), 30)), width(np.arange(600))
    # The error of the mean of 20 numbers against that of 600: sqrt(30) = 5.5; draws are 500.
    assert 4 < by_group / by_row < 7.5
