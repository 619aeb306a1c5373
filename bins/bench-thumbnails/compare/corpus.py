"""Generates photos for the measurements from wallpapers: the size of a phone's photos, with sensor noise, camera EXIF, an
embedded preview, orientation 6, GPS and an sRGB profile.

usage: corpus.py WALLPAPERS DIRECTORY    (numpy, scipy, Pillow, piexif)
"""
import io
import sys
from pathlib import Path

import numpy as np
import piexif
from PIL import Image, ImageCms
from scipy.ndimage import gaussian_filter

Image.MAX_IMAGE_PIXELS = None
MATE = "usr/share/backgrounds/mate/"
PLASMA = "usr/share/wallpapers/{}/contents/images/2560x1600.jpg"
SOURCES = {
    "stand": PLASMA.format("OneStandsOut"),
    "path": PLASMA.format("Path"),
    "dune": MATE + "nature/Dune.jpg",
    "glow": PLASMA.format("EveningGlow"),
    "wings": MATE + "nature/TwoWings.jpg",
    "leaf": PLASMA.format("FallenLeaf"),
    "water": PLASMA.format("BytheWater"),
    "cups": PLASMA.format("ColorfulCups"),
    "elephants": MATE + "abstract/Elephants_5640x3172.jpg",
    "rain": MATE + "nature/RainDrops.jpg",
}


def crop(wallpapers, name, width, height):
    image = Image.open(wallpapers / SOURCES[name]).convert("RGB")
    scale = max(width / image.width, height / image.height)
    size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    image = image.resize(size, Image.LANCZOS)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def mosaic(wallpapers, names, columns, width, height):
    whole = Image.new("RGB", (columns * width, len(names) // columns * height))
    for index, name in enumerate(names):
        place = index % columns * width, index // columns * height
        whole.paste(crop(wallpapers, name, width, height), place)
    return whole


def with_noise(image, strength, seed):
    """Adds sensor noise as it looks after a camera's processing: mostly luma, slightly blurred, and some chroma."""
    random = np.random.default_rng(seed)
    pixels = np.asarray(image).astype(np.float32)
    luma = random.normal(0, strength, pixels.shape[:2]).astype(np.float32)
    chroma = random.normal(0, strength / 2, pixels.shape).astype(np.float32)
    pixels += (gaussian_filter(luma, 0.5) * 1.4)[..., None] + chroma
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def exif(image):
    preview = image.copy()
    preview.thumbnail((160, 120))
    file = io.BytesIO()
    preview.save(file, "JPEG", quality=75)
    taken = b"2024:05:06 07:08:09"
    return piexif.dump({
        "0th": {
            piexif.ImageIFD.Make: b"Test",
            piexif.ImageIFD.Model: b"Phone 15",
            piexif.ImageIFD.Orientation: 6,
            piexif.ImageIFD.Software: b"1.0",
            piexif.ImageIFD.DateTime: taken,
        },
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: taken,
            piexif.ExifIFD.OffsetTimeOriginal: b"+02:00",
            piexif.ExifIFD.ExposureTime: (1, 120),
            piexif.ExifIFD.FNumber: (18, 10),
            piexif.ExifIFD.ISOSpeedRatings: 100,
            piexif.ExifIFD.LensModel: b"lens 26mm",
        },
        "GPS": {
            piexif.GPSIFD.GPSLatitudeRef: b"N",
            piexif.GPSIFD.GPSLatitude: ((48, 1), (8, 1), (1234, 100)),
            piexif.GPSIFD.GPSLongitudeRef: b"E",
            piexif.GPSIFD.GPSLongitude: ((11, 1), (34, 1), (4321, 100)),
            piexif.GPSIFD.GPSAltitude: (520, 1),
        },
        "1st": {},
        "thumbnail": file.getvalue(),
    })


def main():
    wallpapers, directory = map(Path, sys.argv[1:])
    directory.mkdir(parents=True, exist_ok=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    a = with_noise(mosaic(wallpapers, ["stand", "path", "dune", "glow"], 2, 2000, 1500), 1.5, 1)
    b = with_noise(mosaic(wallpapers, ["wings", "leaf", "water", "cups"], 2, 2000, 1500), 2.2, 2)
    c = with_noise(crop(wallpapers, "elephants", 4000, 3000), 1.0, 3)
    large = mosaic(wallpapers, ["stand", "wings", "elephants", "rain", "leaf", "glow"], 3, 2000, 2000)
    large = with_noise(large, 1.8, 4)
    for name, image in {"j12_a": a, "j12_b": b, "j12_c": c, "j24": large}.items():
        path = directory / f"{name}.jpg"
        image.save(path, quality=90, subsampling="4:2:0", exif=exif(image), icc_profile=profile)
    common = {"exif": exif(a), "icc_profile": profile}
    a.save(directory / "prog12.jpg", quality=90, subsampling="4:2:0", progressive=True, optimize=True, **common)
    b.save(directory / "png12.png", compress_level=6, **common)
    # Written last: its presence means that the corpus is complete.
    a.save(directory / "webp12.webp", quality=85, method=4, **common)


main()
