"""Five estimators with their bootstrap intervals by the Open Bandit Pipeline; prints JSON.

obp_peer.py FOLDER RESAMPLES
"""

import json
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

# obp imports torch for neural policies, which are not used here; it is 2 GB.
torch = MagicMock()
torch.Tensor = torch.nn.Module = torch.utils.data.Dataset = type("Unused", (), {})
sys.modules.update({"torch": torch, "torch.nn": torch.nn, "torch.optim": MagicMock()})

import obp  # noqa: E402
from obp.ope import (  # noqa: E402
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
