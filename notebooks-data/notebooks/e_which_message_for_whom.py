# %% [markdown]
# # Which message works for whom?
#
# Kevin Hillstrom's e-mail experiment (2008): 64,000 customers of a shop, a third each got an e-mail
# about men's goods, one about women's, or none. Everybody's first idea is that the right message for
# the right person beats the best single one. Does it?
#
# The data are public but carry no licence, so they are not here: name the file in `HILLSTROM`, CSV or
# CSV.gz, with the columns `recency … segment, visit, conversion, spend`. Without it a table of the
# same form is drawn in which **nothing depends on the person**, so that the notebook can be run; its
# figures mean nothing.

# %%
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import pandas as pd

LAGOM = os.environ.get("LAGOM", "lagom")
path = os.environ.get("HILLSTROM", "")
path = str(pathlib.Path(path).resolve()) if path else ""
os.chdir(tempfile.mkdtemp())

if not path:
    draw = np.random.default_rng(5)
    n = 12_000
    segment = draw.choice(["Mens E-Mail", "Womens E-Mail", "No E-Mail"], n)
    rate = pd.Series(segment).map({"Mens E-Mail": 0.18, "Womens E-Mail": 0.15, "No E-Mail": 0.11})
    visit = (draw.random(n) < rate).astype(int)
    pd.DataFrame({
        "recency": draw.integers(1, 13, n), "history": np.round(draw.lognormal(5, 1, n), 2),
        "mens": draw.integers(0, 2, n), "womens": draw.integers(0, 2, n),
        "zip_code": draw.choice(["Urban", "Surburban", "Rural"], n), "newbie": draw.integers(0, 2, n),
        "channel": draw.choice(["Web", "Phone", "Multichannel"], n), "segment": segment,
        "visit": visit, "conversion": visit * draw.integers(0, 2, n), "spend": 0.0,
    }).to_csv("standin.csv", index=False)  # fmt: skip
    path = "standin.csv"
real = path != "standin.csv"
data = pd.read_csv(path)
print("the experiment itself" if real else "a stand-in: these figures mean nothing")
print(len(data), "customers")

# %% [markdown]
# ## Was it randomised?
#
# Each arm's share, and each arm's mean of what was known before: they should not differ.

# %%
data.groupby("segment").agg(
    customers=("visit", "size"), recency=("recency", "mean"), history=("history", "mean"),
    newbie=("newbie", "mean"), visit=("visit", "mean"),
).round(3)  # fmt: skip

# %% [markdown]
# ## The policy that fits each person, valued on people it has not seen
#
# `lagom evaluate --table` learns a policy on half of the rows and values it on the other half, with
# every fixed action beside it. `visit` within two weeks is the reward; `conversion` and `spend` came
# later than the message and are no context.

# %%
answer = subprocess.run(
    [LAGOM, "evaluate", "--table", path, "--action", "segment", "--reward", "visit",
     "--propensity", str(1 / 3), "--drop", "conversion,spend", "--json"],
    check=True, capture_output=True, text=True,
)  # fmt: skip
report = json.loads(answer.stdout)


def line(name: str, value: dict) -> None:
    interval = value["interval"]["dr"]
    print(f"{name:<34}{value['value']['dr']:>9.4f}   {interval['low']:.4f} to {interval['high']:.4f}")


for name, value in report["fixed"].items():
    line(f"always {name}", value)
line("by chance", report["uniform"])
line(f"best single: {report['best_fixed_action']}", report["best_fixed"])
line("learnt per person", report["learnt"])
line("learnt less best single", report["difference"])

# %% [markdown]
# ## The honest answer

# %%
low, high = (report["difference"]["interval"]["dr"][end] for end in ("low", "high"))
best = report["best_fixed_action"]
if low > 0:
    print(f"Fitting the message to the person beats '{best}' for all, by {low:.4f} to {high:.4f} visits.")
elif report["learning"]["personalised"]:
    print(f"Not shown: the difference from '{best}' for all is between {low:.4f} and {high:.4f} visits.")
else:
    print(f"No: on the training half nothing was found that beats '{best}' for all by more than chance,")
    print("so the learnt policy sends it to everybody. Anything else would be a story about noise.")
# %%
mens = data[data.segment == "Mens E-Mail"].visit
none = data[data.segment == "No E-Mail"].visit
lift = mens.mean() - none.mean()
se = np.sqrt(mens.var() / len(mens) + none.var() / len(none))
print(f"What the data do show: the men's e-mail against none, {lift:+.4f} visits a customer "
      f"(95 % interval {lift - 1.96 * se:+.4f} to {lift + 1.96 * se:+.4f}).")  # fmt: skip
