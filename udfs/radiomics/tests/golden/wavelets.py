"""Writes src/filters/wavelets.txt: decomposition filters of PyWavelets' discrete wavelets.

    pip install PyWavelets==1.8.0 && python wavelets.py > ../../src/filters/wavelets.txt

One wavelet a line: name, then the low-pass taps. Where the high-pass taps are not the low-pass reversed with
alternating signs (biorthogonal families), they follow after a `|`.
"""

import pywt

print("# Decomposition filters, made by tests/golden/wavelets.py from PyWavelets 1.8.0: name, low-pass taps [| high-pass taps]")
for name in pywt.wavelist(kind="discrete"):
    wavelet = pywt.Wavelet(name)
    low, high = wavelet.dec_lo, wavelet.dec_hi
    mirrored = [(-1) ** (k + 1) * low[len(low) - 1 - k] for k in range(len(low))]
    line = [name] + [repr(v) for v in low]
    if any(abs(a - b) > 0 for a, b in zip(mirrored, high)):
        line += ["|"] + [repr(v) for v in high]
    print(*line)
