"""Build a folder of messy images and sounds, with what is expected of each file.

    python tests/cli/messy_folders.py FOLDER        creates FOLDER, and prints a JSON line per file

A file is "read" (and shown), "broken" (it is a row, but cannot be shown: this is noticed only when
it is decoded), or "left out". What is left out has a noun, under which it is counted.
"""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import sys
import wave
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, features

try:
    import soundfile
except ImportError:
    soundfile = None


class Case(NamedTuple):
    """A file, and the expected outcome of reading it.

    Its media is the kind for which it is counted: "image", "audio", or "other" for both; or
    "folder".
    """

    name: str
    media: str
    outcome: str  # "read", "broken" or "left out"
    noun: str = ""


GRAY = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8) * 4  # 30 wide, 20 high
TONE = np.sin(np.arange(8000) / 8000 * 440 * 2 * np.pi) / 2


# Images -----------------------------------------------------------------------------------------


def make_photo(mode="RGB"):
    return Image.fromarray(np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], 2)).convert(mode)


def encode(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def make_exif(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def make_tiff(pixels, sample_format=1, photometric=1):
    """Return a TIFF file of kinds that Pillow does not write."""
    height, width, *channels = pixels.shape
    n = channels[0] if channels else 1
    end = 8 + 2 + 10 * 12 + 4
    values = {
        256: width, 257: height, 258: 8 * pixels.itemsize, 259: 1, 262: photometric,
        273: end + 4 * n, 277: n, 278: height, 279: pixels.nbytes, 339: sample_format,
    }  # fmt: skip
    entries, arrays = b"", b""
    for tag, value in values.items():
        if tag in {258, 339} and n > 2:  # one per channel
            entries += struct.pack("<HHII", tag, 3, n, end + len(arrays))
            arrays += struct.pack(f"<{n}H", *[value] * n)
        else:
            entries += struct.pack("<HHII", tag, 4, 1, value)
    arrays = arrays.ljust(4 * n, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(values))
    return head + entries + bytes(4) + arrays + pixels.tobytes()


def make_deep_png(pixels):
    """Return a PNG file of colors of 16 bits."""
    lines = np.zeros((len(pixels), 1 + pixels[0].size * 2), dtype=np.uint8)
    lines[:, 1:] = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    return join_png(header, lines.tobytes())


def join_png(header, lines):
    def chunk(name, data):
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make_bomb(width=60_000, height=60_000):
    """Return a small PNG file of many pixels."""
    return join_png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"0")


def make_readable_images():
    """Yield the name and the bytes of files that are read."""
    photo = make_photo()
    frames = [make_photo(), make_photo().rotate(180)]
    alpha = make_photo("RGBA")
    alpha.putalpha(Image.fromarray(GRAY))
    deep = Image.fromarray(GRAY.astype(np.uint16) + 1000)
    yield from {
        "plain.png": encode(photo, "PNG"),
        "UPPER.JPG": encode(photo, "JPEG"),
        "a b 'c' \"d\" <img src=x onerror=alert(1)>.png": encode(photo, "PNG"),
        "emoji \U0001f468\u200d\U0001f33e and \u202f space.png": encode(photo, "PNG"),
        "really.jpeg.png": encode(photo, "JPEG"),
        "alpha.png": encode(alpha, "PNG"),
        "palette.png": encode(make_photo("P"), "PNG"),
        "one bit.png": encode(make_photo("1"), "PNG"),
        "deep.png": encode(deep, "PNG"),
        "turned.png": encode(photo, "PNG", exif=make_exif(6)),
        "turned.jpg": encode(photo, "JPEG", exif=make_exif(6)),
        "turned.tif": encode(photo, "TIFF", exif=make_exif(6)),
        "turned.webp": encode(photo, "WEBP", exif=make_exif(6)),
        "cmyk.jpg": encode(make_photo("CMYK"), "JPEG"),
        "gray.gif": encode(make_photo("L"), "GIF"),
        "moving.gif": encode(photo, "GIF", save_all=True, append_images=frames[1:]),
        "moving.webp": encode(photo, "WEBP", save_all=True, append_images=frames[1:]),
        "moving.png": encode(photo, "PNG", save_all=True, append_images=frames[1:]),
        "photo.bmp": encode(photo, "BMP"),
        "photo.ppm": encode(photo, "PPM"),
        "pages.tif": encode(photo, "TIFF", save_all=True, append_images=frames),
        "deep.tiff": encode(deep, "TIFF"),
        "float.tif": encode(Image.fromarray(GRAY / np.float32(7)), "TIFF"),
        "deep color.tif": make_tiff(np.asarray(photo).astype("<u2") * 99, photometric=2),
        "deep color.png": make_deep_png(np.asarray(photo).astype(np.uint16) * 99),
        "white is zero.tif": make_tiff(GRAY.astype("<u2") * 5, photometric=0),
        "signed.tif": make_tiff(GRAY.astype("<i2") - 20, sample_format=2),
        "cmyk.tif": encode(make_photo("CMYK"), "TIFF"),
        "lab.tif": encode(photo.convert("LAB"), "TIFF"),
        "palette.tif": encode(make_photo("P"), "TIFF"),
        "alpha.tif": encode(alpha, "TIFF"),
        "fax.tif": encode(make_photo("1"), "TIFF", compression="group4"),
        "packed.tif": encode(photo, "TIFF", compression="tiff_lzw"),
        "thin.png": encode(Image.new("L", (30, 3000)), "PNG"),
        "sub/deep down/x.png": encode(photo, "PNG"),
    }.items()
    if features.check("avif"):
        yield "photo.avif", encode(photo, "AVIF")
        yield "turned.avif", encode(photo, "AVIF", exif=make_exif(6))
    if features.check("jpg_2000"):
        yield "photo.jp2", encode(photo, "JPEG2000")


def make_broken_images():
    """Yield the name and the bytes of files whose beginning is that of an image."""
    noise = Image.fromarray(np.random.RandomState(0).randint(0, 255, (90, 90, 3), dtype=np.uint8))
    png = bytearray(encode(noise, "PNG"))
    png[len(png) // 2] ^= 255
    yield from {
        "cut.jpg": encode(noise, "JPEG")[:-2000],
        "broken chunk.png": bytes(png),
        "cut.png": encode(noise, "PNG")[:-2000],
        "cut.gif": encode(noise, "GIF")[:-2000],
    }.items()


def make_left_out_images():
    """Yield the name, the noun and the bytes of files that are no images, or cannot be read."""
    misnamed = "file named like an image that is none"
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)
    yield "phone.heic", ".heic file", heic
    yield "phone.jpg", "HEIC file", heic
    yield "drawing.svg", ".svg file", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>"
    yield "photo.cr2", ".cr2 file", b"II*\0" + bytes(99)
    yield "empty.png", "empty file", b""
    yield "page.jpg", misnamed, b"<!DOCTYPE html><html>404 Not Found</html>"
    yield "sound.png", misnamed, make_wav()
    yield "text.png", misnamed, b"This is no image at all. " * 9
    yield "head only.png", "damaged file", encode(make_photo(), "PNG")[:20]
    yield "double.tif", "damaged or unusual file", make_tiff(GRAY / 7, sample_format=3)
    yield (
        "cut.tif",
        "damaged or unusual file",
        encode(make_photo(), "TIFF", compression="tiff_lzw")[:300],
    )
    yield "bomb.png", "too large file", make_bomb()
    yield "large.png", "too large file", make_bomb(10_000, 10_000)
    yield ".hidden.png", "hidden file", encode(make_photo(), "PNG")
    for name in ("bell\a.png", "two\nlines.png", "right\u202eto left.png", "zero\u200bwidth.png"):
        yield name, "file with control characters", encode(make_photo(), "PNG")


# Sounds -----------------------------------------------------------------------------------------


def make_wav(width=2, n_channels=1, rate=8000, n=8000):
    """Return a WAV file of integers."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(n_channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        values = (TONE[:n] * 2.0 ** (8 * width - 1)).astype("<i8") + (128 if width == 1 else 0)
        samples = values.view(np.uint8).reshape(-1, 8)[:, :width]  # the low bytes of each
        sound.writeframes(np.repeat(samples, n_channels, axis=0).tobytes())
    return file.getvalue()


def encode_sound(kind, subtype=None, n_channels=1):
    file = io.BytesIO()
    samples = np.repeat(TONE[:, None], n_channels, axis=1)
    soundfile.write(file, samples, 8000, format=kind, subtype=subtype)
    return file.getvalue()


def make_readable_sounds():
    """Yield the name and the bytes of files that are read."""
    for width in (1, 2, 3, 4):
        yield f"{8 * width} bit.wav", make_wav(width)
    yield "stereo.wav", make_wav(n_channels=2)
    yield "six channels.wav", make_wav(n_channels=6)
    yield "slow.wav", make_wav(rate=1000)
    yield "streamed.wav", make_wav()[:40] + b"\xff\xff\xff\xff" + make_wav()[44:]
    yield "cut.wav", make_wav()[:-2000]
    if soundfile is None:
        return
    for subtype in ("FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM"):
        yield f"{subtype.lower()}.wav", encode_sound("WAV", subtype)
    yield "wide.wav", encode_sound("WAVEX", "PCM_24", 2)
    yield "speech.mp3", encode_sound("MP3")
    yield "speech.flac", encode_sound("FLAC")
    yield "speech.ogg", encode_sound("OGG")
    yield "speech.opus", encode_sound("OGG", "OPUS")
    yield "speech.aiff", encode_sound("AIFF")
    yield "speech.au", encode_sound("AU")
    yield "really flac.mp3", encode_sound("FLAC")


def make_left_out_sounds():
    """Yield the name, the noun and the bytes of files that are no sounds, or cannot be read."""
    yield "silent.wav", "sound without content", make_wav(n=0)
    yield "empty.wav", "empty file", b""
    yield "head only.wav", "damaged file", make_wav()[:30]
    yield "text.wav", "file named like a sound that is none", b"This is no sound at all. " * 9
    yield "image.wav", "file named like a sound that is none", encode(make_photo(), "PNG")
    yield "phone.m4a", ".m4a file", b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + bytes(99)
    yield "speech.aac", ".aac file", b"\xff\xf1\x50\x80" + bytes(99)
    yield "speech.wma", ".wma file", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99)
    if soundfile is None:
        yield "speech.mp3", ".mp3 file", b"ID3" + bytes(99)


# The folder -------------------------------------------------------------------------------------


def build_folder(root: Path) -> list[Case]:
    """Create a folder, beside which linked files are put, and return what is expected."""
    outside = root.parent / f"{root.name} (linked)"
    root.mkdir(parents=True)
    outside.mkdir()
    cases = [*write_files(root), *make_links(root, outside), *make_special_files(root)]
    for name in ("notes.txt", "Thumbs.db", "labels.csv"):
        (root / name).write_bytes(b"1")
        cases.append(Case(name, "other", "left out", "other file"))
    (root / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    cases.append(Case("film.mp4", "other", "left out", "video"))
    (root / ".git").mkdir()
    (root / ".git" / "x.png").write_bytes(encode(make_photo(), "PNG"))
    (root / "folder.png").mkdir()
    return cases


def write_files(root):
    for media, read, broken, left_out in (
        ("image", make_readable_images(), make_broken_images(), make_left_out_images()),
        ("audio", make_readable_sounds(), (), make_left_out_sounds()),
    ):
        files = [
            *((name, "read", "", data) for name, data in read),
            *((name, "broken", "", data) for name, data in broken),
            *((name, "left out", noun, data) for name, noun, data in left_out),
        ]
        for name, outcome, noun, data in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
            yield Case(name, "other" if noun == "hidden file" else media, outcome, noun)


def make_links(root, outside):
    (outside / "x.png").write_bytes(encode(make_photo(), "PNG"))
    (outside / "around.png").symlink_to(root / "plain.png")
    links = {
        "link inside.png": ("plain.png", "read", ""),
        "link outside.png": (outside / "x.png", "read", ""),
        "link to a link.png": (outside / "around.png", "read", ""),
        "link to nothing.png": ("/nowhere.png", "left out", "link to nothing"),
        "link to itself.png": ("link to itself.png", "left out", "link to itself"),
        "link to a device.png": ("/dev/zero", "left out", "device"),
        "linked": (outside, None, ""),
        "linked again": (outside, "left out", "link to a folder that is read anyway"),
        "loop": (".", "left out", "link to a folder that is read anyway"),
        "disk": ("/", "left out", "link to a folder around this one"),
    }
    for name, (target, outcome, noun) in links.items():
        (root / name).symlink_to(target)
        if outcome:
            is_file = name.endswith(".png")
            media = "image" if outcome == "read" else "other" if is_file else "folder"
            yield Case(name, media, outcome, noun)
    yield Case("linked/x.png", "image", "read")
    yield Case("linked/around.png", "image", "read")


def make_special_files(root):
    os.mkfifo(root / "pipe.png")
    yield Case("pipe.png", "other", "left out", "named pipe")
    os.mkfifo(root / "pipe.wav")
    yield Case("pipe.wav", "other", "left out", "named pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(root)  # the names of sockets are short
        listener.bind("socket.png")
        os.chdir(before)
    yield Case("socket.png", "other", "left out", "socket")
    name = os.fsdecode(b"latin \xe9.png")
    (root / name).write_bytes(encode(make_photo(), "PNG"))
    yield Case(name, "image", "left out", "file with control characters")
    if os.geteuid():  # the administrator may read everything
        (root / "private.png").write_bytes(encode(make_photo(), "PNG"))
        (root / "private.png").chmod(0)
        yield Case("private.png", "image", "left out", "unreadable file")


if __name__ == "__main__":
    for case in build_folder(Path(sys.argv[1])):
        print(json.dumps(case._asdict()))
