"""Golden values of tests that the R references do not cover: scipy's, on data made here.

    pip install numpy scipy && python make.py > tests.json
"""

import json

import numpy as np
import scipy
from scipy import stats



def royston_w(values):
    """W with normal scores to full precision, as R has them; scipy's own scores are good to 1e-9 only."""
    x, n = np.sort(values), len(values)
    m = -stats.norm.ppf((np.arange(1, n // 2 + 1) - 0.375) / (n + 0.25))
    total, root = 2 * (m**2).sum(), 1 / np.sqrt(n)
    a = np.zeros(n // 2)
    if n == 3:
        a[0] = 0.5**0.5
    else:
        a[0] = np.polyval([-2.706056, 4.434685, -2.07119, -0.147981, 0.221157, 0], root) + m[0] / total**0.5
        k = 1
        if n > 5:
            a[1] = np.polyval([-3.582633, 5.682633, -1.752461, -0.293762, 0.042981, 0], root) + m[1] / total**0.5
            k = 2
        a[k:] = m[k:] / np.sqrt((total - 2 * (m[:k] ** 2).sum()) / (1 - 2 * (a[:k] ** 2).sum()))
    full = np.concatenate([-a, np.zeros(n % 2), a[::-1]])
    return (full @ x) ** 2 / ((x - x.mean()) ** 2).sum() / (full @ full)


rng = np.random.default_rng(20240817)
sizes = [(5, 7), (3, 4, 11), (20, 31, 14, 9)]
groups, samples, pairs = [], [], []
for size in sizes:
    for digits in (6, 0):
        g = [np.round(rng.normal(3 * i**0.5, 2 + i, n), digits) + 0.0 for i, n in enumerate(size)]
        f, h = stats.f_oneway(*g), stats.kruskal(*g)
        groups.append({"groups": [v.tolist() for v in g], "f": f.statistic, "f_p": f.pvalue, "h": h.statistic, "h_p": h.pvalue})
for n in (3, 4, 5, 6, 11, 12, 40, 300):
    for draw in (rng.normal, rng.standard_exponential):
        v = np.round(draw(size=n), 4)
        w = stats.shapiro(v)
        samples.append({"values": v.tolist(), "w": w.statistic, "w_exact_scores": royston_w(v), "p": w.pvalue})
for n in (6, 25, 60):
    x, y = np.round(rng.normal(0.4, 1, n), 3), np.round(rng.normal(0, 1, n), 3)
    t = stats.ttest_rel(x, y)
    d = x - y
    v = float(stats.rankdata(abs(d))[d > 0].sum())
    exact = stats.wilcoxon(x, y, method="exact").pvalue if n < 50 else None
    normal = stats.wilcoxon(x, y, method="asymptotic", correction=True, zero_method="wilcox").pvalue
    pairs.append({"x": x.tolist(), "y": y.tolist(), "t": t.statistic, "t_p": t.pvalue, "v": v, "exact": exact, "normal": normal})
    rx, ry = np.round(x), np.round(y)
    d = (rx - ry)[rx != ry]
    v = float(stats.rankdata(abs(d))[d > 0].sum())
    normal = stats.wilcoxon(rx, ry, method="asymptotic", correction=True, zero_method="wilcox").pvalue
    pairs.append({"x": (rx + 0.0).tolist(), "y": (ry + 0.0).tolist(), "t": None, "v": v, "exact": None, "normal": normal})
tails = []
for t, df in ((2.5, 3.7), (12.0, 250.3), (4.0, 1e5), (0.01, 9.0)):
    tails.append({"t": t, "df": df, "p": 2 * stats.t.sf(t, df)})
for f, a, b in ((3.3, 4.0, 17.5), (29.8, 29.0, 60.0), (0.4, 200.0, 3000.0)):
    tails.append({"f": f, "df1": a, "df2": b, "p": stats.f.sf(f, a, b)})
for x, df in ((3.3, 1.0), (250.0, 7.0), (0.1, 4.0), (1100.0, 1000.0)):
    tails.append({"chi2": x, "df": df, "p": stats.chi2.sf(x, df)})
print(json.dumps({"scipy": scipy.__version__, "groups": groups, "samples": samples, "pairs": pairs, "tails": tails}, indent=1))
