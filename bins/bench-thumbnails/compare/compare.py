"""Compares our thumbnails with those of the installed peers: CPU time, measured in rounds in random order on one core, and
SSIM. Times of different runs are not comparable; ratios within a run are.

usage: compare.py --ours BINARY --peers DIRECTORY --photos DIRECTORY [--rounds N] [--iterations N] [FILE...]
"""
import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
BASELINE = ["j12_a", "j12_b", "j12_c", "j24"]
# glibc returns freed pages to the system by default, which costs time at the next photo. In a server the heap stays warm.
WARM_HEAP = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}
ONE_THREAD = {"VIPS_CONCURRENCY": "1", "UV_THREADPOOL_SIZE": "1", "OMP_NUM_THREADS": "1"}
OURS = "ours"


class Runner:
    """A program that makes thumbnails of files; skipped if the file `needs` does not exist."""

    def __init__(self, command, needs, makes_thumbnails=True, only=None):
        self.command = [str(part) for part in command]
        self.needs = Path(needs)
        self.makes_thumbnails = makes_thumbnails
        self.only = only

    def run(self, iterations, files, environment, out=None):
        """Returns CPU milliseconds per photo, by the files' stems."""
        files = [file for file in files if self.only is None or file.stem in self.only]
        where = ["--out", str(out)] if out else []
        times = {}
        # One process per file, so that a file that a peer can't read does not affect the others.
        for file in files:
            command = [*PINNED, *self.command, *where, str(iterations), str(file)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            for line in done.stdout.splitlines():
                measured = json.loads(line)
                times[measured["file"]] = measured["ms"]
        return times


def pinned():
    """Command prefix that pins a process to the last core, if `taskset` exists."""
    try:
        subprocess.run(["taskset", "-V"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


PINNED = pinned()


def runners(ours, peers):
    simd, vips, sharp = peers / "pillow-simd/bin/python", peers / "libvips/bin/python", peers / "sharp/node_modules/sharp"
    return {
        OURS: Runner([ours], ours),
        "Pillow-SIMD": Runner([simd, HERE / "pillow_simd.py"], simd),
        "libvips, shrink": Runner([vips, HERE / "libvips.py", "shrink"], vips),
        "libvips, thumbnail": Runner([vips, HERE / "libvips.py", "thumbnail"], vips),
        "sharp, fastest": Runner(["node", HERE / "sharp.js", "fastest"], sharp),
        "sharp, default": Runner(["node", HERE / "sharp.js", "default"], sharp),
        "sharp, two pipelines": Runner(["node", HERE / "sharp.js", "two"], sharp),
        "ours, --full": Runner([ours, "--full"], ours, makes_thumbnails=False),
        "libjpeg-turbo, entropy decoding alone": Runner(
            [peers / "entropy"], peers / "entropy", makes_thumbnails=False, only=BASELINE
        ),
    }


def table(title, columns, rows):
    print(f"\n{title}\n")
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, cells in rows:
        print(f"| {name} | " + " | ".join(cells) + " |")


def geometric_mean(numbers):
    return math.exp(statistics.fmean(map(math.log, numbers)))


def times_table(times, names, stems):
    def cell(name, stem):
        return f"{statistics.median(times[name][stem]):.1f}" if times[name].get(stem) else "–"

    rows = [(name, [cell(name, stem) for stem in stems]) for name in names]
    table("CPU milliseconds per photo, medians:", stems, rows)


def ratios_table(times, names, stems):
    """Prints the time of the others divided by ours: medians of the ratios of all rounds."""

    def ratio(name, stem):
        pairs = zip(times[name].get(stem, []), times[OURS].get(stem, []))
        ratios = [other / ours for other, ours in pairs]
        return statistics.median(ratios) if ratios else None

    baseline = [stem for stem in stems if stem in BASELINE]
    rows = []
    for name in names:
        by_stem = [ratio(name, stem) for stem in stems]
        means = [ratio(name, stem) for stem in baseline]
        mean = f"{geometric_mean(means):.2f}" if means and None not in means else "–"
        rows.append((name, [mean, *(f"{each:.2f}" if each else "–" for each in by_stem)]))
    table("Time divided by ours (mean: geometric mean of the baseline JPEGs):", ["mean", *stems], rows)


def similarities_table(python, out, files):
    if not python.exists():
        print("\nNo SSIM: scikit-image is not installed; run compare/install.")
        return
    directories = sorted(path for path in out.iterdir() if path.is_dir())
    command = [python, HERE / "ssim.py", *files, "--", *directories]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    scores = {}
    for line in done.stdout.splitlines():
        found = json.loads(line)
        scores.setdefault(Path(found["of"]).name, {})[found["file"]] = found["ssim"]
    stems = [file.stem for file in files]

    def cell(name, stem):
        found = scores[name].get(stem)
        return f"{found['1024']:.4f} / {found['256']:.4f}" if found else "–"

    order = ["ceiling", OURS, *sorted(name for name in scores if name not in ("ceiling", OURS))]
    table("Luma SSIM of the thumbnails of 1024 / 256 pixels:", stems, [(name, [cell(name, stem) for stem in stems]) for name in order])


def peak_memory(ours, file):
    """Returns the peak resident memory in MiB of a process that makes one photo's thumbnails."""
    command = [sys.executable, "-c", (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    ), ours, "1", file]
    return float(subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout)


def main():
    arguments = argparse.ArgumentParser(description="Compares thumbnails with those of the installed peers.")
    for name in ("--ours", "--peers", "--photos"):
        arguments.add_argument(name, type=Path, required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--iterations", type=int, default=5)
    arguments.add_argument("files", type=Path, nargs="*", help="photos; default: those generated by `install`")
    options = arguments.parse_args()
    generated = [options.photos / f"{stem}.jpg" for stem in [*BASELINE, "prog12"]]
    generated += [options.photos / "png12.png", options.photos / "webp12.webp"]
    files = options.files or generated
    for file in files:
        if not file.exists():
            sys.exit(f"{file} does not exist: run {HERE / 'install'} first")
    environment = {**os.environ, **WARM_HEAP, **ONE_THREAD, "SHARP_HOME": str(options.peers / "sharp")}

    programs = runners(options.ours, options.peers)
    for name in [name for name, runner in programs.items() if not runner.needs.exists()]:
        print(f"not installed: {name}")
        del programs[name]
    times = {name: {} for name in programs}
    with tempfile.TemporaryDirectory() as out:
        out = Path(out)
        for name, runner in programs.items():
            if runner.makes_thumbnails:
                runner.run(1, files, environment, out / name)
        for round_number in range(options.rounds):
            print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
            for name in random.sample(list(programs), len(programs)):
                for stem, ms in programs[name].run(options.iterations, files, environment).items():
                    times[name].setdefault(stem, []).append(ms)
        stems = [file.stem for file in files]
        print(f"{options.rounds} rounds of {options.iterations} photos each, in random order" + (", on one core." if PINNED else "."))
        times_table(times, list(programs), stems)
        ratios_table(times, [name for name in programs if name != OURS], stems)
        similarities_table(options.peers / "ssim/bin/python", out, files)
    for file in files:
        if file.stem in ("j24", "prog12"):
            print(f"\nPeak memory of our process with {file.name}: {peak_memory(options.ours, file):.1f} MiB")


main()
