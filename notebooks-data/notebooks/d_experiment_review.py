# %% [markdown]
# # An experiment review, number by number
#
# `lagom review` judges an experiment by the plan that was agreed before its start. Here its figures
# are computed again with NumPy and SciPy from the textbook formulas, and must agree to nine digits.

# %%
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import pandas as pd
from scipy import stats

LAGOM = os.environ.get("LAGOM", "lagom")
os.chdir(tempfile.mkdtemp())

# %% [markdown]
# ## Facts
#
# One row a customer with its arm, drawn here with a known effect: the bandit collects three points
# more of what is billed, and irritates fewer.

# %%
draw = np.random.default_rng(11)
n = 4_000
arm = draw.choice(["ladder", "bandit"], n)
better = arm == "bandit"
invoices = 1 + draw.poisson(2.0, n)
billed = np.round(invoices * draw.lognormal(5.5, 0.6, n), 2)
share = np.clip(draw.normal(0.82 + 0.03 * better, 0.18, n), 0, 1)
facts = pd.DataFrame({
    "customer_id": np.arange(n),
    "arm": arm,
    "enroll_day": draw.integers(0, 60, n),
    "billed": billed,
    "collected60": np.round(billed * share, 2),
    "contacts": draw.poisson(np.where(better, 0.8, 1.0) * invoices),
    "invoices": invoices,
    "complaint": (draw.random(n) < np.where(better, 0.03, 0.05)).astype(int),
})  # fmt: skip
facts.to_csv("facts.csv", index=False)
facts.groupby("arm").agg(customers=("customer_id", "size"), billed=("billed", "sum"))

# %% [markdown]
# ## The plan

# %%
pathlib.Path("plan.toml").write_text('''
experiment = "bandit against ladder"
control = "ladder"
planned_customers = 4000
interval = "fixed"

[columns]
customer = "customer_id"
arm = "arm"
enrolled = "enroll_day"

[shares]
ladder = 0.5
bandit = 0.5

[[metrics]]
name = "collection_rate"
role = "success"
direction = "higher"
numerator = "collected60"
denominator = "billed"

[[metrics]]
name = "contacts_per_invoice"
role = "success"
direction = "lower"
numerator = "contacts"
denominator = "invoices"

[[metrics]]
name = "complaint"
role = "guardrail"
direction = "lower"
value = "complaint"
margin = { absolute = 0.01 }
''')
answer = subprocess.run(
    [LAGOM, "review", "--facts", "facts.csv", "--plan", "plan.toml", "--json"],
    check=True, capture_output=True, text=True,
)  # fmt: skip
review = json.loads(answer.stdout)
comparison = review["comparisons"]["ladder_vs_bandit"]
print(comparison["sentence"])

# %%
checked = 0


def equal(what: str, ours: float, theirs: float) -> None:
    global checked
    assert np.isclose(ours, theirs, rtol=1e-9, atol=1e-12), (what, ours, theirs)
    print(f"{what:<46}{ours:>18.9g}{theirs:>18.9g}")
    checked += 1


# %% [markdown]
# ## Did the split go as planned?
#
# A sample ratio mismatch is looked at before any effect: $\chi^2 = \sum (n_a - E_a)^2 / E_a$.

# %%
observed = [int((arm == one).sum()) for one in review["arms"]]
chi2 = stats.chisquare(observed)
equal("sample ratio: chi-squared", review["srm"]["chi2"], chi2.statistic)
equal("sample ratio: p", review["srm"]["p"], chi2.pvalue)

# %% [markdown]
# ## Effects
#
# A ratio of sums, $R = \sum x / \sum y$, has by the delta method the variance of the linearised
# $(x - R y) / \bar y$; a mean is the case $y = 1$. Welch's test takes each arm's own variance; the
# relative effect $R_t / R_c - 1$ has by the delta method the variance
# $v_t / (n_t R_c^2) + v_c R_t^2 / (n_c R_c^4)$.

# %%
def one_arm(x: np.ndarray, y: np.ndarray) -> tuple[float, float, int]:
    ratio = x.sum() / y.sum()
    return ratio, ((x - ratio * y) / y.mean()).var(ddof=1), len(x)


def reproduce(name: str, x: np.ndarray, y: np.ndarray) -> float:
    theirs = comparison["metrics"][name]
    (rc, vc, nc), (rt, vt, nt) = (one_arm(x[arm == one], y[arm == one]) for one in ("ladder", "bandit"))
    equal(f"{name}: control", theirs["mean_c"], rc)
    equal(f"{name}: treatment", theirs["mean_t"], rt)
    equal(f"{name}: variance of control", theirs["var_c"], vc)
    se = np.sqrt(vc / nc + vt / nt)
    dof = se**4 / ((vc / nc) ** 2 / (nc - 1) + (vt / nt) ** 2 / (nt - 1))
    t = (rt - rc) / se
    p = 2 * stats.t.sf(abs(t), dof)
    absolute = theirs["absolute"]
    equal(f"{name}: difference", absolute["diff"], rt - rc)
    equal(f"{name}: standard error", absolute["se"], se)
    equal(f"{name}: degrees of freedom (Welch)", absolute["welch"]["dof"], dof)
    equal(f"{name}: p (Welch)", absolute["welch"]["p"], p)
    half = stats.t.ppf(0.975, dof) * se
    equal(f"{name}: interval, low", absolute["welch"]["ci"][0], rt - rc - half)
    equal(f"{name}: interval, high", absolute["welch"]["ci"][1], rt - rc + half)
    relative = theirs["relative_delta"]
    equal(f"{name}: relative lift", relative["lift"], rt / rc - 1)
    spread = np.sqrt(vt / (nt * rc**2) + vc * rt**2 / (nc * rc**4))
    equal(f"{name}: its standard error", relative["se"], spread)
    return p


column = {name: facts[name].to_numpy(dtype=float) for name in facts.columns if name not in ("arm",)}
ps = {
    "collection_rate": reproduce("ratio.collection_rate", column["collected60"], column["billed"]),
    "contacts_per_invoice": reproduce(
        "ratio.contacts_per_invoice", column["contacts"], column["invoices"]
    ),
}
reproduce("mean.complaint", column["complaint"], np.ones(n))
print(checked, "figures agree")

# %% [markdown]
# ## Two success metrics, one error rate
#
# Holm: the smallest p doubled, then the other, never less than the one before.

# %%
names = [one.rsplit(".", 1)[-1] for one in review["multiplicity"]["names"]]
raw = dict(zip(names, review["multiplicity"]["p"]))
holm = dict(zip(names, review["multiplicity"]["holm"]))
by_size = sorted(names, key=raw.__getitem__)
running = 0.0
for step, name in enumerate(by_size):
    running = max(running, min(1.0, (len(by_size) - step) * raw[name]))
    equal(f"Holm: {name}", holm[name], running)

# %% [markdown]
# ## The verdict
#
# It follows from the plan: a success metric must be better, and each guardrail must be shown to be
# no worse than its margin.

# %%
print(comparison["decision"]["verdict"])
for reason in comparison["decision"]["reasons"]:
    print(" ", reason["reason"], reason.get("metric", ""))
