#!/usr/bin/env python3
"""CrossFormer-Tiny (7 channels, 224 x 224, float32), one thread, next to PyTorch in one run.

usage: crossformer.py SPEED REFERENCE_DIR

SPEED is the built example (`cargo build --release -p esccsql-crossformer --example speed`), REFERENCE_DIR a copy of the authors'
project with models/crossformer.py (MIT). Milliseconds are those of the process on a core; needs torch and timm.
"""
import importlib.util, os, statistics, subprocess, sys, time

os.environ.update(RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1")
import torch

torch.set_num_threads(1)
spec = importlib.util.spec_from_file_location("reference", os.path.join(sys.argv[2], "models", "crossformer.py"))
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
model = reference.CrossFormer(img_size=224, patch_size=[4, 8, 16, 32], in_chans=7, num_classes=1, embed_dim=64, depths=[1, 1, 8, 6],
                              num_heads=[2, 4, 8, 16], group_size=[7] * 4, crs_interval=[8, 4, 2, 1], mlp_ratio=[4.0] * 4,
                              merge_size=[[2, 4]] * 3, drop_path_rate=0.0, group_type="constant", use_acl=False)


def median(f, repeats):
    f()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        f()
        seconds.append(time.process_time() - start)
    return 1e3 * statistics.median(seconds)


def forward(batch):
    x = torch.randn(batch, 7, 224, 224)
    with torch.no_grad():
        return median(lambda: model(x), 15 if batch == 1 else 7)


def step():
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


ours = {}
for line in subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines():
    words = line.split()
    if words[0] in ("forward", "train"):
        ours[words[0], int(words[1])] = float(words[2])
model.eval()
theirs = {("forward", b): forward(b) for b in (1, 8)}
optimizer, x = torch.optim.Adam(model.parameters(), lr=1e-4), torch.randn(8, 7, 224, 224)
theirs["train", 8] = median(step, 5)
print("%-10s %8s %8s %6s" % ("", "PyTorch", "ours", "ratio"))
for key, t in theirs.items():
    print("%-7s %2d %8.0f %8.0f %6.2f" % (*key, t, ours[key], ours[key] / t))
