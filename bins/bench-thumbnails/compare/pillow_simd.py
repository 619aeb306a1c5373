"""Pillow-SIMD with its fastest method: draft, Lanczos, the small thumbnail from the large one.

usage: pillow_simd.py [--out DIRECTORY] ITERATIONS FILE...
"""
import io

from PIL import Image
from rounds import run

Image.MAX_IMAGE_PIXELS = None
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def fit(image, edge, **options):
    scale = edge / max(image.size)
    size = round(image.width * scale), round(image.height * scale)
    return image.resize(size, Image.LANCZOS, **options)


def jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def thumbnails(path):
    image = Image.open(path)
    if image.format == "JPEG":
        scale = 1024 / max(image.size)
        image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
    elif image.mode != "RGB":
        image = image.convert("RGB")
    turn = UPRIGHT.get(image.getexif().get(274, 1))
    large = fit(image, 1024, reducing_gap=2.0)
    if turn is not None:
        large = large.transpose(turn)
    return [jpeg(large), jpeg(fit(large, 256))]


run(thumbnails)
