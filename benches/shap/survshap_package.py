"""Seconds for the rows beyond the first 153 of a CSV, one thread: python survshap's sampling with one random path per patient, and
shap's exact TreeExplainer, which survshap's 'treeshap' calls."""
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
import shap
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv
from survshap import PredictSurvSHAP, SurvivalModelExplainer

warnings.filterwarnings("ignore")
data = pd.read_csv(sys.argv[1])
measured = int(sys.argv[2]) if len(sys.argv) > 2 else 2
x, y = data.drop(columns=["time", "event"]), Surv.from_dataframe("event", "time", data)
background, others = x.iloc[:153], x.iloc[153:]
forest = RandomSurvivalForest(n_estimators=400, min_samples_leaf=5, min_samples_split=20, random_state=1, n_jobs=1)
forest.fit(background, y[:153])
explainer = SurvivalModelExplainer(forest, background, y[:153])
seconds = []
for i in range(measured):
    start = time.perf_counter()
    PredictSurvSHAP(calculation_method="sampling", B=1, random_state=1).fit(explainer, others.iloc[[i]])
    seconds.append(time.perf_counter() - start)
    print(f"patient {i + 1}: {seconds[-1]:.2f} s", file=sys.stderr)
exact = shap.TreeExplainer({"trees": [tree.tree_ for tree in forest.estimators_]}, background)
tree_seconds = []
for i in range(measured):
    start = time.perf_counter()
    exact.shap_values(others.iloc[[i]])
    tree_seconds.append(time.perf_counter() - start)
leaves = np.mean([tree.tree_.n_leaves for tree in forest.estimators_])
print(json.dumps({"measured_rows": measured, "mean_leaves": float(leaves), "sampling_seconds": float(np.mean(seconds) * len(others)),
                  "tree_explainer_seconds": float(np.mean(tree_seconds) * len(others))}))
