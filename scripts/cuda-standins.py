#!/usr/bin/env python3
"""Stand-ins for the CUDA libraries, so that a program that is built with CUDA starts on a machine without a driver.

usage: cuda-standins.py CUDARC_SOURCE FOLDER

Writes FOLDER/libcuda.a, libcublas.a, libcublasLt.a, libcurand.a and libnvrtc.a. Each holds every function that the crate cudarc declares
for its library (read from the crate's bindings). When the program starts, and a driver is there, the real library is opened and each
function jumps to its namesake; otherwise it returns an error, such as CUDA_ERROR_NO_DEVICE. x86-64, ELF, gcc or clang.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple


class Library(NamedTuple):
    module: str  # of cudarc
    prefix: str  # of its functions
    files: list[str]  # newest first
    error: int  # what a function returns without the library


DRIVER = "libcuda.so.1"
LIBRARIES = {
    "cuda": Library("driver", "cu", [DRIVER], 100),  # CUDA_ERROR_NO_DEVICE
    "cublas": Library("cublas", "cublas", ["libcublas.so.13", "libcublas.so.12"], 1),  # CUBLAS_STATUS_NOT_INITIALIZED
    "cublasLt": Library("cublaslt", "cublasLt", ["libcublasLt.so.13", "libcublasLt.so.12"], 1),
    "curand": Library("curand", "curand", ["libcurand.so.10"], 101),  # CURAND_STATUS_NOT_INITIALIZED
    "nvrtc": Library("nvrtc", "nvrtc", ["libnvrtc.so.13", "libnvrtc.so.12"], 4),  # NVRTC_ERROR_INVALID_PROGRAM
}

# The table is filled before main. Libraries that need the driver are only looked for behind it.
SOURCE = """
#include <dlfcn.h>
#include <stddef.h>
static long missing(void) {{ return {error}; }}
__attribute__((visibility("hidden"))) void *standin_{name}[{count}];
static const char *const names[] = {{ {names} }};
static const char *const files[] = {{ {files} }};
__attribute__((constructor(101))) static void find(void) {{
    void *library = NULL;
    if (dlopen("{driver}", RTLD_LAZY))
        for (size_t i = 0; !library && i < sizeof files / sizeof *files; i++) library = dlopen(files[i], RTLD_LAZY | RTLD_GLOBAL);
    for (size_t i = 0; i < {count}; i++) {{
        void *function = library ? dlsym(library, names[i]) : NULL;
        standin_{name}[i] = function ? function : (void *)missing;
    }}
}}
__asm__(".text\\n{jumps}");
"""


def functions(source: pathlib.Path, library: Library, taken: set[str]) -> list[str]:
    text = (source / library.module / "sys" / "mod.rs").read_text()
    names = set(re.findall(rf"\b(?:fn|static)\s+({library.prefix}[A-Za-z0-9_]+)\s*[(:]", text)) - taken
    if not names:
        sys.exit(f"no functions of {library.module} in {source}: has the layout of cudarc changed?")
    taken |= names
    return sorted(names)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = map(pathlib.Path, sys.argv[1:])
    taken: set[str] = set()
    for name, library in LIBRARIES.items():
        names = functions(source, library, taken)
        jump = ".globl {0}\\n.type {0},@function\\n{0}: jmp *standin_{1}+{2}(%rip)\\n"
        code = SOURCE.format(
            name=name, count=len(names), error=library.error, driver=DRIVER,
            names=", ".join(f'"{n}"' for n in names), files=", ".join(f'"{f}"' for f in library.files),
            jumps="".join(jump.format(n, name, 8 * i) for i, n in enumerate(names)),
        )
        with tempfile.TemporaryDirectory() as work:
            c, o = pathlib.Path(work, f"{name}.c"), pathlib.Path(work, f"{name}.o")
            c.write_text(code)
            subprocess.run(["cc", "-O2", "-fPIC", "-c", c, "-o", o], check=True)
            archive = folder / f"lib{name}.a"
            archive.unlink(missing_ok=True)
            subprocess.run(["ar", "rcs", archive, o], check=True)
        print(f"{archive}: {len(names)} functions")


main()
