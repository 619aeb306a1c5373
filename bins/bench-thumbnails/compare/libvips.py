"""libvips through pyvips: one decode, the small thumbnail from the large one.

usage: libvips.py shrink|thumbnail [--out DIRECTORY] ITERATIONS FILE...

`shrink`, the fastest mode, decodes a JPEG at the smallest sufficient scale; `thumbnail` is libvips' own operation and the only
one for other formats.
"""
import os
import sys

os.environ["VIPS_CONCURRENCY"] = "1"
import pyvips
from rounds import run

pyvips.cache_set_max(0)
MODE = sys.argv.pop(1)


def shrink(file):
    edge = max(pyvips.Image.jpegload_buffer(file).width, pyvips.Image.jpegload_buffer(file).height)
    factor = max(factor for factor in (1, 2, 4, 8) if edge / factor >= 1024 or factor == 1)
    image = pyvips.Image.jpegload_buffer(file, shrink=factor, access="sequential")
    return image.resize(1024 / max(image.width, image.height)).copy_memory().autorot()


def thumbnails(path):
    with open(path, "rb") as opened:
        file = opened.read()
    if MODE == "shrink":
        if not file.startswith(b"\xff\xd8"):
            return None
        large = shrink(file)
    else:
        large = pyvips.Image.thumbnail_buffer(file, 1024, height=1024).copy_memory()
    small = large.thumbnail_image(256, height=256)
    return [image.jpegsave_buffer(Q=80, keep="none") for image in (large, small)]


run(thumbnails)
