"""scikit-learn's lbfgs on the matrix in a folder: prints what `lagom bench fit` prints of itself."""

import json
import sys
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

folder, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x = np.fromfile(f"{folder}/x", dtype="<f8").reshape(rows, columns)
y = np.fromfile(f"{folder}/y", dtype=np.uint8)
cpu, wall = time.process_time(), time.perf_counter()
fit = LogisticRegression(C=1.0, solver="lbfgs", tol=1e-4, max_iter=1000).fit(x, y)
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
z = x @ fit.coef_[0] + fit.intercept_[0]
objective = (np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * np.sum(fit.coef_**2)) / rows
print(json.dumps({"cpu_seconds": cpu, "wall_seconds": wall, "objective": objective}))
