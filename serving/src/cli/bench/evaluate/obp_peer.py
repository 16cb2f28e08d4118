"""Five estimators with their bootstrap intervals by the Open Bandit Pipeline; prints JSON.

obp_peer.py FOLDER RESAMPLES
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import obp
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
)

folder, resamples = Path(sys.argv[1]), int(sys.argv[2])


def column(name):
    return np.fromfile(folder / name, dtype="<f8")


reward = column("reward")
rounds = len(reward)
log = {
    "reward": reward,
    "action": column("action").astype(int),
    "pscore": column("propensity"),
    "action_dist": column("target").reshape(rounds, -1, 1),
    "estimated_rewards_by_reg_model": column("predicted").reshape(rounds, -1, 1),
    "position": np.zeros(rounds, dtype=int),
}
estimators = {
    "ips": InverseProbabilityWeighting(),
    "snips": SelfNormalizedInverseProbabilityWeighting(),
    "dm": DirectMethod(),
    "dr": DoublyRobust(),
    "sndr": SelfNormalizedDoublyRobust(),
}
started = time.perf_counter()
value = {}
for name, estimator in estimators.items():
    value[name] = float(estimator.estimate_policy_value(**log))
    estimator.estimate_interval(**log, n_bootstrap_samples=resamples, random_state=1)
seconds = time.perf_counter() - started
print(json.dumps({"version": obp.__version__, "seconds": seconds, "value": value}))
