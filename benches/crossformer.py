#!/usr/bin/env python3
"""CrossFormer-Tiny (7 channels, 224 x 224, float32), one thread, next to PyTorch and ONNX Runtime in one run.

usage: crossformer.py SPEED REFERENCE_DIR [ROUNDS]

SPEED is the built example (`cargo build --release -p esccsql-crossformer --example speed`), REFERENCE_DIR a copy of the authors'
project with models/crossformer.py (MIT). All take turns, so that a machine that is slow for a while is slow for each of them:
milliseconds of the process on a core are medians of the rounds (3 unless told), ratios medians of each round's. An environment:

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
model.eval()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
images = {batch: torch.randn(batch, 7, 224, 224) for batch in (1, 8)}


def median(f, repeats):
    f()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        f()
        seconds.append(time.process_time() - start)
    return 1e3 * statistics.median(seconds)


def forward(batch):
    with torch.no_grad():
        return model(images[batch])


def step():
    optimizer.zero_grad()
    model(images[8]).square().mean().backward()
    optimizer.step()


def onnx(batch):
    """A function that runs the model; its outputs are PyTorch's."""
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (images[batch],), file, dynamo=False, opset_version=17)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    values = {session.get_inputs()[0].name: images[batch].numpy()}
    assert abs(session.run(None, values)[0] - forward(batch).numpy()).max() < 1e-4
    return lambda: session.run(None, values)


def ours(part):
    for line in subprocess.run([sys.argv[1], part], check=True, capture_output=True, text=True).stdout.splitlines():
        words = line.split()
        if words[0] in ("forward", "train"):
            yield (words[0], int(words[1])), float(words[2])


sessions = {batch: onnx(batch) for batch in images}
rounds = {("forward", 1): [], ("forward", 8): [], ("train", 8): []}
for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 3):
    for key, milliseconds in ours("forward"):
        repeats = 15 if key[1] == 1 else 5
        rounds[key].append((median(lambda: forward(key[1]), repeats), median(sessions[key[1]], repeats), milliseconds))
    # The steps change the weights, which no product's speed depends on.
    rounds["train", 8].append((median(step, 3), None, dict(ours("step"))["train", 8]))

print("%-10s %8s %6s %13s %6s %8s" % ("", "PyTorch", "ratio", "ONNX Runtime", "ratio", "ours"))
for key, measured in rounds.items():
    torchs, onnxs, own = zip(*measured)
    line = "%-7s %2d %8.0f %6.2f" % (*key, statistics.median(torchs), statistics.median(o / t for o, t in zip(own, torchs)))
    if key[0] == "forward":
        line += " %13.0f %6.2f" % (statistics.median(onnxs), statistics.median(o / t for o, t in zip(own, onnxs)))
    else:
        line += " " * 21
    print(line + " %8.0f" % statistics.median(own))
