"""Times scikit-survival and adelie on the CSV files of a folder: peers.py FOLDER REPEATS -> lines peer:task,file,n,p,seconds (elapsed), medians."""

import sys
import time
from pathlib import Path

import adelie
import numpy as np
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis

folder, repeats = Path(sys.argv[1]), int(sys.argv[2])


def report(peer, task, name, shape, run):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(f"{peer}:{task},{name},{shape[0]},{shape[1]},{np.median(seconds):.6f}", flush=True)


for file in sorted(folder.glob("*.csv")):
    with file.open() as opened:
        if opened.readline().count(",") < 10:
            continue
    data = np.loadtxt(file, delimiter=",", skiprows=1)
    t, event, x = data[:, 0], data[:, 1] == 1, np.ascontiguousarray(data[:, 2:])
    y = np.array(list(zip(event, t)), dtype=[("event", bool), ("time", float)])
    if x.shape[1] >= 100:
        # Standardised outside the clock, as ours does it inside.
        z = np.asfortranarray((x - x.mean(0)) / x.std(0))

        def path(z=z, y=y):
            return CoxnetSurvivalAnalysis(l1_ratio=1.0, n_alphas=100, alpha_min_ratio=0.05).fit(z, y)

        def folds(z=z, y=y):
            alphas = path().alphas_
            for k in range(5):
                rows = np.arange(len(y)) % 5 != k
                CoxnetSurvivalAnalysis(l1_ratio=1.0, alphas=alphas).fit(z[rows], y[rows])

        def cox(z, t, event):
            return adelie.glm.cox(start=np.zeros(len(t)), stop=t, status=event.astype(float))

        def grpnet(z=z, t=t, event=event):
            adelie.grpnet(X=z, glm=cox(z, t, event), lmda_path_size=100, min_ratio=0.05, progress_bar=False, n_threads=1)

        def cv(z=z, t=t, event=event):
            adelie.cv_grpnet(X=z, glm=cox(z, t, event), lmda_path_size=100, min_ratio=0.05, n_folds=5, progress_bar=False, n_threads=1)

        if len(t) <= 1000:
            report("scikit-survival", "coxnet_path", file.stem, x.shape, path)
            report("scikit-survival", "coxnet_cv5", file.stem, x.shape, folds)
        report("adelie", "coxnet_path", file.stem, x.shape, grpnet)
        if len(t) <= 1000:
            report("adelie", "coxnet_cv5", file.stem, x.shape, cv)
    elif x.shape[1] >= 10 and len(t) <= 1000:
        report("scikit-survival", "rsf_exhaustive_400", file.stem, x.shape,
               lambda: RandomSurvivalForest(n_estimators=400, min_samples_leaf=10, max_features=4, n_jobs=1).fit(x, y))
