"""A cohort of 205 patients with 33 features, as CSV on standard output."""
import numpy as np

rng = np.random.default_rng(7)
rows, features = 205, 33
x = rng.normal(size=(rows, features))
risk = 0.8 * x[:, 0] - 0.6 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
time = np.ceil(400 * rng.exponential(size=rows) * np.exp(-risk)) / 10
censored = 80 * rng.random(rows)
event = (time <= censored).astype(int)
time = np.minimum(time, censored).round(1) + 0.1
print(",".join(["time", "event"] + [f"x{j + 1}" for j in range(features)]))
for i in range(rows):
    print(",".join([repr(float(time[i])), str(event[i])] + [repr(float(v)) for v in x[i]]))
