"""Tables and what established programs make of them: the oracles of training's tests.

    pip install numpy pandas scikit-learn statsmodels
    python make.py

mixed.csv, mixed_sklearn.csv
    Numbers with gaps, categories and their outcome; P(outcome) of scikit-learn's logistic regression
    (newton-cholesky, C = 1) after median imputation, missing indicators, standardisation by the
    population's deviation and one-hot levels.
person_period.csv, person_period_statsmodels.csv
    Invoices with when they become late, were settled, and were last seen; P(settled by day 2, 4, 8, 12)
    of statsmodels' binomial GLM on their person-periods, one fit on each side of lateness.
"""

import numpy as np
import pandas as pd
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression


def mixed():
    draw = np.random.default_rng(11)
    rows = 600
    age = np.round(draw.normal(45, 12, rows), 1)
    owed = np.round(draw.lognormal(6, 1, rows), 2)
    plan = draw.choice(["basic", "family", "pro", "student"], rows, p=[0.5, 0.2, 0.2, 0.1])
    z = -0.5 + 0.04 * (age - 45) - 0.3 * (np.log(owed) - 6) + (plan == "pro") - 0.7 * (plan == "student")
    left = draw.random(rows) < 1 / (1 + np.exp(-z))
    table = pd.DataFrame({"age": age, "owed": owed, "plan": plan, "left": np.where(left, "yes", "no")})
    table.loc[draw.random(rows) < 0.1, "age"] = np.nan
    table.to_csv("mixed.csv", index=False)

    columns = []
    for name in ["age", "owed"]:
        cells = table[name]
        columns.append(cells.fillna(cells.median()))
        if cells.isna().any():
            columns.append(cells.isna().astype(float))
    design = np.column_stack(columns)
    design = (design - design.mean(0)) / design.std(0)
    levels = pd.get_dummies(table["plan"]).to_numpy(float)
    design = np.hstack([design, levels])
    fit = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(design, left)
    pd.DataFrame({"p": fit.predict_proba(design)[:, 1]}).to_csv("mixed_sklearn.csv", index=False, float_format="%.12f")


CUTS = [-90, -60, -45, -30, -21, -14, -10, -7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 180]


def periods(late_in, until):
    start = 0.0
    for cut in CUTS:
        end = min(cut + late_in, until)
        if end > start:
            yield cut, start, end
            start = end


def own(cut, start, end):
    return {"cut": cut, "log_days": np.log(end - start), "log_from": np.log1p(start)}


def person_period():
    draw = np.random.default_rng(5)
    rows = []
    for _ in range(1500):
        x, late_in = draw.normal(), draw.choice([1.0, 2.5, 4.0, 6.5])
        known, day, settled = float(draw.integers(4, 15)), 0.0, np.nan
        while day < known:
            rate = np.exp((-2.0 if day < late_in else -1.6) + (0.5 if day < late_in else 0.2) * x)
            if draw.random() < 1 - np.exp(-rate / 4):
                settled = day + 0.125
                break
            day += 0.25
        rows.append((round(x, 4), late_in, settled, known))
    table = pd.DataFrame(rows, columns=["x", "late_in_days", "settled_days", "known_days"])
    table.to_csv("person_period.csv", index=False)

    seen = []
    for one in table.itertuples():
        for cut, start, end in periods(one.late_in_days, one.known_days):
            inside = one.settled_days < end
            seen.append({"x": one.x, "settled": float(inside), **own(cut, start, end)})
            if inside:
                break
    seen = pd.DataFrame(seen)

    def design(part, cuts):
        dummies = [(part["cut"] == cut).astype(float) for cut in cuts[1:]]
        return np.column_stack([np.ones(len(part)), part["x"], part["log_days"], part["log_from"], *dummies])

    fits = {}
    for late in [False, True]:
        part = seen[(seen["cut"] > 0) == late]
        cuts = sorted(part["cut"].unique())
        assert (part.groupby("cut")["settled"].agg(["min", "max"]) == [0.0, 1.0]).all().all()
        model = sm.GLM(part["settled"], design(part, cuts), family=sm.families.Binomial())
        fits[late] = (model.fit(tol=1e-14, maxiter=200), cuts)
        names = ["intercept", "x", "log_days", "log_from"] + [f"until {cut}" for cut in cuts[1:]]
        print("after" if late else "before", dict(zip(names, fits[late][0].params.round(6))))

    days, out = [2.0, 4.0, 8.0, 12.0], []
    for one in table.itertuples():
        stays, paid = 1.0, {}
        for cut, start, end in periods(one.late_in_days, 12.0 + 1e-9):
            # The hazard of the whole period, of which the curve takes the share before a day.
            whole = dict((c, (s, e)) for c, s, e in periods(one.late_in_days, 90.0))[cut]
            fit, cuts = fits[cut > 0]
            part = pd.DataFrame([{"x": one.x, **own(cut, *whole)}])
            hazard = fit.predict(design(part, cuts))[0]
            for day in days:
                if whole[0] <= day < whole[1]:
                    paid[day] = 1 - stays * (1 - hazard) ** ((day - whole[0]) / (whole[1] - whole[0]))
            stays *= 1 - hazard
        out.append([paid[day] for day in days])
    pd.DataFrame(out, columns=["p2", "p4", "p8", "p12"]).to_csv(
        "person_period_statsmodels.csv", index=False, float_format="%.12f"
    )


if __name__ == "__main__":
    print("scikit-learn", sklearn.__version__, "statsmodels", statsmodels.__version__)
    mixed()
    person_period()
