# SPDX-License-Identifier: GPL-2.0
"""Screenshots of a guest, and the pictures of the cameras."""
import operator
import re
import socket

# The colour bars that the cameras draw, and a width that all their text fits into
CAMERA_BARS = {
    "vivi": ((204, 204, 204), (208, 208, 0), (0, 206, 206), (0, 239, 0),
             (239, 0, 239), (205, 0, 0), (0, 0, 255), (0, 0, 0)),
    "vivid": ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0),
              (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0))}
TEXT_WIDTH = 512


def monitor(path, command):
    """Send one command to a QEMU monitor and return the answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.settimeout(30)
        text = b""
        for order in ("", command):
            if order:
                text = b""
                s.sendall(order.encode() + b"\n")
            while not text.endswith(b"(qemu) "):
                text += s.recv(4096)
    return text


def read_ppm(path):
    """(width, height, RGB bytes) of a screenshot."""
    if not path.exists():
        return 0, 0, b""
    data = path.read_bytes()
    m = re.match(rb"P6\s+(?:#.*\n)?(\d+) (\d+)\s+255\s", data)
    return int(m[1]), int(m[2]), data[m.end():]


def has_camera_bars(width, height, rgb, p, bars):
    """Does the screen show the camera's bars, except for the text at the top left?

    p: {"shift": their position, "text": lines with text}
    """
    line = [bar for bar in bars for _ in range(width // 8)] * 2
    row = line[p["shift"]:p["shift"] + width]
    row = b"".join(bytes((r & 0xf8, g & 0xfc, b & 0xf8)) for r, g, b in row)
    mask = bytes((0xf8, 0xfc, 0xf8)) * width
    for y in range(height):
        x = TEXT_WIDTH * 3 if y < p["text"] else 0
        shown = rgb[y * width * 3:(y + 1) * width * 3]
        if bytes(map(operator.and_, shown, mask))[x:] != row[x:]:
            return False
    return bool(rgb)


def bars_shift(width, height, rgb, bars, text=160):
    """The position of the camera's bars on the screen; None if it does not show them."""
    last = rgb[-width * 3:]
    for shift in range(width):
        if has_camera_bars(width, 1, last, {"shift": shift, "text": 0}, bars):
            shown = has_camera_bars(width, height, rgb, {"shift": shift, "text": text}, bars)
            return shift if shown else None
    return None
