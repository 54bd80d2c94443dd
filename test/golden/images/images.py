"""Writes images.json: pictures in every encoding and what an independent implementation makes of them.

Areas are averaged by repeating every pixel until the output divides the picture, in whole numbers. The files of
CompressedImage are written by Pillow. Needs numpy and Pillow: python images.py > images.json
"""
import base64
import io
import json

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)
H, W = 11, 14
colour = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
grey = rng.integers(0, 256, (H, W), dtype=np.uint8)
wide = rng.integers(0, 65536, (H, W), dtype=np.uint16)
millimetres = rng.integers(200, 6000, (H, W), dtype=np.uint16)
millimetres[rng.random((H, W)) < 0.3] = 0
millimetres[0:6, 0:6] = 0  # a whole output pixel without a measurement
metres = (millimetres / 1000).astype(np.float32)
metres[3, 9], metres[4, 10], metres[8, 2], metres[1, 1] = np.inf, -np.inf, np.nan, -1
opaque = np.full((H, W, 1), 9, np.uint8)
NEAR, FAR = 0.5, 4.0


def sums(a, h, w):
    """Sums over the areas of h × w output pixels, in whole numbers; each is of a.shape[0] · a.shape[1] repeated pixels."""
    big = np.repeat(np.repeat(a.astype(np.int64), h, 0), w, 1)
    return big.reshape(h, a.shape[0], w, a.shape[1], *a.shape[2:]).sum((1, 3))


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def shrink(a, h, w, white=255):
    return half_up(sums(a, h, w) * 255, a.shape[0] * a.shape[1] * white)


def luma(a, h, w):
    return half_up(sums(a, h, w) @ np.array([299, 587, 114]), a.shape[0] * a.shape[1] * 1000)


def depth(m, h, w):
    m = m.astype(np.float64)
    seen = (m > 0) | np.isneginf(m)
    clamped = np.where(seen, np.clip(m, NEAR, FAR), 0)
    big = np.repeat(np.repeat(clamped, h, 0), w, 1).reshape(h, m.shape[0], w, m.shape[1])
    many = sums(seen, h, w)
    mean = big.sum((1, 3)) / np.maximum(many, 1)
    return np.where(many == 0, 0, 1 + np.floor(254 * (mean - NEAR) / (FAR - NEAR) + 0.5)).astype(int)


def padded(rows, more):
    """Rows of bytes with `more` bytes of padding each, that must not be looked at."""
    raw = rows.reshape(H, -1).view(np.uint8)
    return np.concatenate([raw, np.full((H, more), 0xAB, np.uint8)], 1), raw.shape[1] + more


cases = []


def raw(name, encoding, rows, expected, channels, more=0, big=0, size=(4, 5), **extra):
    data, step = padded(np.ascontiguousarray(rows), more)
    cases.append({
        "name": name,
        "image": {"height": H, "width": W, "encoding": encoding, "is_bigendian": big, "step": step,
                  "data": base64.b64encode(data.tobytes()).decode()},
        "size": [*size, channels], "expected": np.asarray(expected).ravel().tolist(), **extra})


def compressed(name, fmt, data, expected, channels, size=(4, 5), tolerance=0, **extra):
    cases.append({"name": name, "compressed": {"format": fmt, "data": base64.b64encode(data).decode()},
                  "size": [*size, channels], "expected": np.asarray(expected).ravel().tolist(),
                  "tolerance": tolerance, **extra})


def written(a, kind, **options):
    out = io.BytesIO()
    Image.fromarray(a).save(out, kind, **options)
    return out.getvalue()


want = shrink(colour, 4, 5)
raw("rgb8", "rgb8", colour, want, 3)
raw("rgb8 with padded rows", "rgb8", colour, want, 3, more=5)
raw("bgr8", "bgr8", colour[..., ::-1], want, 3)
raw("rgba8", "rgba8", np.concatenate([colour, opaque], -1), want, 3)
raw("bgra8", "bgra8", np.concatenate([colour[..., ::-1], opaque], -1), want, 3, more=3)
raw("8UC3", "8UC3", colour[..., ::-1], want, 3)
raw("rgb8 as grey", "rgb8", colour, luma(colour, 4, 5), 1)
raw("bgr8 as grey", "bgr8", colour[..., ::-1], luma(colour, 4, 5), 1)
raw("mono8", "mono8", grey, shrink(grey, 4, 5), 1)
raw("8UC1", "8UC1", grey, shrink(grey, 4, 5), 1, more=2)
raw("mono8 as it is", "mono8", grey, grey, 1, size=(H, W))
raw("mono16", "mono16", wide, shrink(wide, 4, 5, 65535), 1)
raw("mono16, big-endian, padded by an odd number", "mono16", wide.astype(">u2"), shrink(wide, 4, 5, 65535), 1, more=3, big=1)
cropped = colour[2:10, 3:13]
raw("rgb8, a part of it", "rgb8", colour, shrink(cropped, 3, 4), 3, size=(3, 4), crop={"x": 3, "y": 2, "width": 10, "height": 8})
span = {"depth": {"near": NEAR, "far": FAR}}
raw("16UC1", "16UC1", millimetres, depth(millimetres / 1000, 2, 3), 1, size=(2, 3), **span)
raw("16UC1, finer", "16UC1", millimetres, depth(millimetres / 1000, 5, 7), 1, size=(5, 7), **span)
raw("16UC1, big-endian", "16UC1", millimetres.astype(">u2"), depth(millimetres / 1000, 5, 7), 1, size=(5, 7), big=1, **span)
raw("mono16 of millimetres", "mono16", millimetres, depth(millimetres / 1000, 5, 7), 1, size=(5, 7), **span)
raw("32FC1", "32FC1", metres, depth(metres, 5, 7), 1, size=(5, 7), **span)
raw("32FC1, big-endian, padded", "32FC1", metres.astype(">f4"), depth(metres, 5, 7), 1, size=(5, 7), big=1, more=1, **span)

compressed("PNG", "rgb8; png compressed bgr8", written(colour, "PNG"), want, 3)
compressed("PNG with opacity", "png", written(np.concatenate([colour, opaque], -1), "PNG"), want, 3)
compressed("PNG of quantised colours", "png", written(np.array(Image.fromarray(grey).quantize(256).convert("RGB")), "PNG"),
           shrink(np.array(Image.fromarray(grey).quantize(256).convert("RGB")), 4, 5), 3)
compressed("PNG, grey", "png", written(grey, "PNG"), shrink(grey, 4, 5), 1)
compressed("PNG, 16 bits", "mono16; png compressed", written(wide, "PNG"), shrink(wide, 4, 5, 65535), 1)
compressed("PNG, depth", "16UC1; png compressed", written(millimetres, "PNG"), depth(millimetres / 1000, 5, 7), 1, size=(5, 7), **span)
compressed("compressedDepth", "16UC1; compressedDepth png", bytes(12) + written(millimetres, "PNG"),
           depth(millimetres / 1000, 5, 7), 1, size=(5, 7), **span)
# Decoders of JPEG differ by a few steps in the inverse transform and in how colours are made large again.
y, x = np.mgrid[0:48, 0:64]
smooth = np.stack([x * 4, y * 5, 255 - x * 2 - y * 2], -1).astype(np.uint8)
for name, options in [("JPEG", {"quality": 90}), ("JPEG, progressive", {"quality": 90, "progressive": True}),
                      ("JPEG, turned by EXIF", {"quality": 90, "exif": (lambda e: (e.__setitem__(0x112, 6), e)[1])(Image.Exif())})]:
    file = written(smooth, "JPEG", **options)
    seen = np.array(Image.open(io.BytesIO(file)))
    compressed(name, "jpeg", file, shrink(seen, 4, 5), 3, tolerance=2)
file = written(smooth[..., 0], "JPEG", quality=90)
compressed("JPEG, grey", "mono8; jpeg compressed", file, shrink(np.array(Image.open(io.BytesIO(file))), 4, 5), 1, tolerance=1)

print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
