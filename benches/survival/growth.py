"""Measures how our survival kernels grow with n, one thread, and draws it on log-log axes beside n log n.

    python growth.py target/release/examples/survival_bench docs/survival-growth.svg [--folder DIR] [--repeats 3] [--rounds 3]

A point is the least of the rounds' medians: a machine that others use is never too fast.
"""

import argparse
import math
import tempfile
from pathlib import Path

from compare import lines, simulate

SIZES = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
TASKS = {
    "c_index": ("c_index", "#1f77b4"),
    "c_index_se": ("c_index with its standard error", "#17becf"),
    "km_fit": ("km_fit", "#2ca02c"),
    "cox_fit_5": ("cox_fit, 5 columns", "#9467bd"),
    "rsf_random": ("rsf_fit, 30 columns, per tree", "#d62728"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 70, 220, 20, 50


def measure(bench, folder, repeats, rounds):
    points = {task: {} for task in TASKS}
    for n in SIZES:
        file = folder / f"narrow_{n:07}.csv"
        if not file.exists():
            simulate(file, n, 30 if n <= 100_000 else 5)
    for _ in range(rounds):
        for _, task, _, n, _, seconds in lines([bench, str(folder), str(repeats)]):
            name, _, trees = task.rpartition("_")
            if name == "rsf_random":
                task, seconds = name, seconds / int(trees)
            if task in points:
                points[task][n] = min(seconds, points[task].get(n, math.inf))
    return {task: sorted(p.items()) for task, p in points.items()}


def draw(points):
    every = [s for p in points.values() for _, s in p]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))

    def x(n):
        return LEFT + (math.log10(n) - 3) / 3 * (WIDTH - LEFT - RIGHT)

    def y(seconds):
        return HEIGHT - BOTTOM - (math.log10(seconds) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for power in range(3, 7):
        out.append(f'<line x1="{x(10**power):.1f}" x2="{x(10**power):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x(10**power):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low, high + 1):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(10.0**power):.1f}" y2="{y(10.0**power):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(10.0**power) + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">rows</text>')
    names = []
    for task, (name, colour) in TASKS.items():
        if not points[task]:
            continue
        line = " ".join(f"{x(n):.1f},{y(s):.1f}" for n, s in points[task])
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(n):.1f}" cy="{y(s):.1f}" r="3" fill="{colour}"/>' for n, s in points[task]]
        # n log n through the last point.
        last, seconds = points[task][-1]
        grown = [(n, seconds * n * math.log(n) / (last * math.log(last))) for n, _ in points[task]]
        line = " ".join(f"{x(n):.1f},{y(s):.1f}" for n, s in grown if s >= 10.0**low)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-dasharray="3 3"/>')
        names.append((y(points[task][-1][1]), name, colour, x(points[task][-1][0])))
    height = TOP
    for at, name, colour, end in sorted(names):
        height = max(height + 16, at + 4)
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{height:.1f}" fill="{colour}">{name}</text>')
    out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{HEIGHT - BOTTOM}" fill="#666">dashed: n log n</text></svg>')
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("svg", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        points = measure(options.bench, options.folder or Path(scratch), options.repeats, options.rounds)
    for task, series in points.items():
        print(task, " ".join(f"{n}:{s:.6f}" for n, s in series), f"grows by {series[-1][1] / series[0][1]:.0f}")
    options.svg.write_text(draw(points))


if __name__ == "__main__":
    main()
