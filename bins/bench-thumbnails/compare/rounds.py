"""Shared by the peers in Python: arguments, warm-up, CPU time, one line of JSON per file."""
import json
import os
import resource
import sys
from pathlib import Path


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


def run(thumbnails):
    """Measures `thumbnails`, a function from a path to the large and the small thumbnail, or None for an unsupported format."""
    arguments = sys.argv[1:]
    out = None
    if arguments[0] == "--out":
        out = Path(arguments[1])
        out.mkdir(parents=True, exist_ok=True)
        arguments = arguments[2:]
    iterations = int(arguments[0])
    for path in arguments[1:]:
        stem = Path(path).stem
        for _ in range(2):
            made = thumbnails(path)
        if made is None:
            continue
        if out:
            for edge, file in zip((1024, 256), made):
                (out / f"{stem}.{edge}.jpg").write_bytes(file)
        start = cpu()
        for _ in range(iterations):
            thumbnails(path)
        print(json.dumps({"file": stem, "ms": (cpu() - start) / iterations}), flush=True)
    # Skips the slow unloading of some libraries.
    os._exit(0)
