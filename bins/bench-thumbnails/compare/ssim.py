"""Luma SSIM of thumbnails against a float Lanczos3 reduction of the upright, fully decoded photo.

usage: ssim.py PHOTO... -- DIRECTORY...    (numpy, Pillow, scikit-image)

Prints one line of JSON for each photo and each directory with STEM.1024.jpg and STEM.256.jpg, and one for the ceiling: the
score of the reference itself, saved at the thumbnails' quality, 80.
"""
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from skimage.metrics import structural_similarity

Image.MAX_IMAGE_PIXELS = None


def luma(pixels):
    return pixels @ np.array([0.299, 0.587, 0.114])


def similarity(one, other):
    options = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return structural_similarity(luma(one), luma(other), **options)


def reference(photo, edge):
    scale = edge / max(photo.size)
    size = round(photo.width * scale), round(photo.height * scale)
    pixels = np.asarray(photo).astype(np.float32)
    planes = [Image.fromarray(pixels[..., band]).resize(size, Image.LANCZOS) for band in range(3)]
    return np.stack([np.asarray(plane) for plane in planes], -1).clip(0, 255)


def pixels_of(file):
    return np.asarray(Image.open(file).convert("RGB")).astype(float)


def main():
    photos, directories = (sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:])
    for path in map(Path, photos):
        photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        scores = {directory: {} for directory in ["ceiling", *directories]}
        for edge in (1024, 256):
            exact = reference(photo, edge)
            file = io.BytesIO()
            Image.fromarray((exact + 0.5).astype(np.uint8)).save(file, "JPEG", quality=80)
            scores["ceiling"][edge] = similarity(pixels_of(file), exact)
            for directory in directories:
                thumbnail = Path(directory) / f"{path.stem}.{edge}.jpg"
                if not thumbnail.exists():
                    continue
                pixels = pixels_of(thumbnail)
                if pixels.shape != exact.shape:
                    sys.exit(f"{thumbnail} is {pixels.shape[1]} × {pixels.shape[0]}, not {exact.shape[1]} × {exact.shape[0]}")
                scores[directory][edge] = similarity(pixels, exact)
        for directory, score in scores.items():
            if score:
                print(json.dumps({"file": path.stem, "of": directory, "ssim": score}), flush=True)


main()
