# %% [markdown]
# # What would another policy have been worth?
#
# The log holds every probability, so a policy that never ran can be valued from it. Here a candidate
# is valued by `lagom evaluate --rounds`, and each figure is computed again by the Open Bandit
# Pipeline (obp 0.4.1), an established library. The two must agree to nine digits.

# %%
import json
import os
import subprocess
import sys
import tempfile
from unittest.mock import MagicMock

import numpy as np
import polars as pl

# obp imports torch for its neural policies, which are not used here.
torch = MagicMock()
torch.Tensor = torch.nn.Module = torch.utils.data.Dataset = type("Unused", (), {})
sys.modules.update({"torch": torch, "torch.nn": torch.nn, "torch.optim": MagicMock()})
from obp.ope import (  # noqa: E402
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
    SwitchDoublyRobust,
)

LAGOM = os.environ.get("LAGOM", "lagom")
os.chdir(tempfile.mkdtemp())


def lagom(*args: str) -> str:
    return subprocess.run([LAGOM, *args], check=True, capture_output=True, text=True).stdout


print(lagom("simulate", "--customers", "500", "--days", "150", "--seed", "3", "--out", "data"))

# %% [markdown]
# ## The rounds
#
# One row a matured decision: the action, its logged probability, and the reward, here the value of
# the outcome in crowns. Actions that were not eligible have probability zero under both policies.

# %%
rounds = (
    pl.read_parquet("data/decisions.parquet")
    .join(pl.read_parquet("data/outcomes.parquet"), on="decision_id")
    .filter(~pl.col("censored"))
    .sort("decided_at", "decision_id")
)
catalogue = sorted({action for row in rounds["eligible"] for action in row})
place = {action: at for at, action in enumerate(catalogue)}
n = rounds.height
pi_b = np.zeros((n, len(catalogue)))
for row, (eligible, probabilities) in enumerate(zip(rounds["eligible"], rounds["probabilities"])):
    pi_b[row, [place[action] for action in eligible]] = probabilities
action = np.array([place[one] for one in rounds["action_id"]])
pscore = rounds["probability"].to_numpy()
reward = rounds["value_minor"].to_numpy() / 100.0
assert np.allclose(pi_b[np.arange(n), action], pscore, atol=1e-12)
print(n, "rounds,", len(catalogue), "actions, logged value", round(reward.mean(), 2), "SEK a decision")

# %% [markdown]
# ## A candidate
#
# Half of the logging policy, half chance among the eligible: it would explore far more. Most of the
# rounds say little about it, which the effective sample size tells.

# %%
chance = (pi_b > 0) / (pi_b > 0).sum(axis=1, keepdims=True)
pi_e = 0.5 * pi_b + 0.5 * chance

# %% [markdown]
# ## A reward model
#
# For the direct and the doubly robust estimates: ridge regression of the reward on the action and
# on what was outstanding.

# %%
outstanding = rounds["outstanding_minor"].to_numpy() / 100.0


def design(actions: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(len(catalogue))[actions], outstanding[:, None], np.ones((n, 1))])


x = design(action)
weights = np.linalg.solve(x.T @ x + 10.0 * np.eye(x.shape[1]), x.T @ reward)
q_hat = np.stack([design(np.full(n, one)) @ weights for one in range(len(catalogue))], axis=1)

# %% [markdown]
# ## Both programs

# %%
os.makedirs("rounds")
header = ",".join(f"a{at}" for at in range(len(catalogue)))
for name, matrix in {"pi_b": pi_b, "pi_e": pi_e, "q_hat": q_hat}.items():
    np.savetxt(f"rounds/{name}.csv", matrix, delimiter=",", header=header, comments="", fmt="%.17g")
log = np.column_stack([np.arange(n), action, reward, pscore, outstanding])
np.savetxt(
    "rounds/log.csv", log, delimiter=",", comments="", header="round,action,reward,pscore,x0",
    fmt=["%d", "%d", "%.17g", "%.17g", "%.17g"],
)  # fmt: skip
ours = json.loads(lagom("evaluate", "--rounds", "rounds", "--json"))

feedback = {
    "reward": reward,
    "action": action,
    "pscore": pscore,
    "action_dist": pi_e[:, :, None],
    "estimated_rewards_by_reg_model": q_hat[:, :, None],
}
estimators = {
    "ips": InverseProbabilityWeighting(),
    "snips": SelfNormalizedInverseProbabilityWeighting(),
    "dm": DirectMethod(),
    "dr": DoublyRobust(),
    "sndr": SelfNormalizedDoublyRobust(),
    "switch_dr_tau5": SwitchDoublyRobust(tau=5),
    "dros_l5": DoublyRobustWithShrinkage(lambda_=5),
    "dros_l50": DoublyRobustWithShrinkage(lambda_=50),
}
print(f"{'estimator':<16}{'lagom':>14}{'obp':>14}{'interval of lagom':>26}")
for name, estimator in estimators.items():
    theirs, mine = estimator.estimate_policy_value(**feedback), ours["value"][name]
    interval = ours["interval"].get(name)
    shown = f"{interval['low']:.2f} to {interval['high']:.2f}" if interval else ""
    print(f"{name:<16}{mine:>14.6f}{theirs:>14.6f}{shown:>26}")
    assert abs(mine - theirs) <= 1e-9 * max(1.0, abs(theirs)), name
print("logged value", round(reward.mean(), 4), " effective sample size", round(ours["ess"]),
      " largest weight", round(ours["max_weight"], 2))  # fmt: skip

# %% [markdown]
# Read the intervals before the values: a candidate whose interval spans the logged value has shown
# nothing. The effective sample size says how many of the rounds speak about it at all.
