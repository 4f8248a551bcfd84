#!/usr/bin/env python3
"""CrossFormer-Tiny (7 channels, 224 x 224, float32), one thread, next to PyTorch and ONNX Runtime in one run.

usage: crossformer.py SPEED REFERENCE_DIR

SPEED is the built example (`cargo build --release -p esccsql-crossformer --example speed`), REFERENCE_DIR a copy of the authors'
project with models/crossformer.py (MIT). Milliseconds are those of the process on a core, medians. An environment for it:

    python3 -m venv target/bench && target/bench/bin/pip install torch timm onnx onnxruntime
"""
import importlib.util, os, statistics, subprocess, sys, tempfile, time

os.environ.update(RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1")
import onnxruntime
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
    """Of PyTorch and of ONNX Runtime, which must agree."""
    x = torch.randn(batch, 7, 224, 224)
    repeats = 15 if batch == 1 else 7
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        torchs = median(lambda: model(x), repeats)
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (x,), file, dynamo=False, opset_version=17)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        values = {session.get_inputs()[0].name: x.numpy()}
        assert abs(session.run(None, values)[0] - model(x).numpy()).max() < 1e-4
        return torchs, median(lambda: session.run(None, values), repeats)


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
theirs["train", 8] = median(step, 5), None
print("%-10s %8s %6s %13s %6s %8s" % ("", "PyTorch", "ratio", "ONNX Runtime", "ratio", "ours"))
for key, (torchs, onnx) in theirs.items():
    onnx = ("%13.0f %6.2f" % (onnx, ours[key] / onnx)) if onnx else "%13s %6s" % ("", "")
    print("%-7s %2d %8.0f %6.2f %s %8.0f" % (*key, torchs, ours[key] / torchs, onnx, ours[key]))
