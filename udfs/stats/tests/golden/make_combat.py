"""Golden values of ComBat by neuroCombat 0.2.12, run to convergence (its own stop is 1e-4). Writes combat.json beside this file."""

import functools
import json
import pathlib
import sys

import neuroCombat.neuroCombat
import numpy as np
import pandas as pd

nc = sys.modules["neuroCombat.neuroCombat"]
if not hasattr(np, "int"):
    np.int = int
nc.it_sol = functools.partial(nc.it_sol, conv=1e-14)

n, p = 24, 6
batch = [(i * 7) % 3 for i in range(n)]
covariate = [float((i * 5) % 11) for i in range(n)]
x = [
    [
        10.0 + j + 0.3 * covariate[i] + batch[i] * (0.5 + 0.2 * j) + (1.0 + 0.4 * batch[i]) * (((i * 37 + j * 101 + 13) * 7919 % 1009) / 1009.0 - 0.5)
        for j in range(p)
    ]
    for i in range(n)
]
data = np.array(x).T
frame = pd.DataFrame({"batch": batch, "age": covariate})
cases = []
for name, covariates, settings in [
    ("plain", False, {}),
    ("covariate", True, {}),
    ("nonparametric", True, {"parametric": False}),
    ("mean_only", True, {"mean_only": True}),
    ("no_shrinkage", True, {"eb": False}),
    ("reference", True, {"ref_batch": 1}),
]:
    found = nc.neuroCombat(data, frame, "batch", continuous_cols=["age"] if covariates else None, **settings)["data"]
    cases.append({"name": name, "covariates": covariates, "settings": settings, "harmonised": found.T.tolist()})
out = {"batch": batch, "covariate": covariate, "x": x, "cases": cases}
pathlib.Path(__file__).with_name("combat.json").write_text(json.dumps(out))
