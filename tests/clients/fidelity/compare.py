"""How alike the pictures of QGIS and of the web map are, style by style.

    compare.py PICTURES PUBLICATION    with Debian's python3-qgis, for its numpy and Qt

A style passes where its two pictures agree, or where the report of the publication names what differs. Pictures agree where
their structural similarity after a blur of one pixel is 0.95 or more, or where 98 % of the pixels that either draws have
the same class colour. Ends with what failed.
"""

import json
import sys
from pathlib import Path

import numpy
from qgis.PyQt.QtGui import QImage

# What the report says of patterns that agree but for where they begin: they still are as dark, seen from afar. Of 255.
PHASE = "au bord de ses tuiles"
AFAR_PX, TONE_MAX = 24, 3
SSIM_MIN, CLASS_MIN = 0.95, 0.98
# Thin lines on white resemble an empty map: a map has to be this much nearer than nothing is.
GAP_SHARE_MAX = 0.5
# Constants and window of Wang et al. 2004.
C1, C2, WINDOW_SIGMA = (0.01 * 255) ** 2, (0.03 * 255) ** 2, 1.5
# A colour that fills less of QGIS's picture is a mixture at an edge.
CLASS_SHARE_MIN = 0.002
WHITE = 250


def read(path):
    image = QImage(str(path)).convertToFormat(QImage.Format_RGB888)
    assert not image.isNull(), path
    data = image.constBits().asarray(image.sizeInBytes())
    rows = numpy.frombuffer(bytes(data), numpy.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype("float32")


def blurred(picture, sigma):
    reach = int(numpy.ceil(3.5 * sigma))
    window = numpy.exp(-(numpy.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    window /= window.sum()
    for axis in (0, 1):
        padded = numpy.pad(picture, [(reach, reach) if at == axis else (0, 0) for at in range(picture.ndim)], mode="reflect")
        side = picture.shape[axis]
        total = numpy.zeros_like(picture)
        for at, weight in enumerate(window):
            part = padded[at : at + side] if axis == 0 else padded[:, at : at + side]
            total += part * weight
        picture = total
    return picture


def ssim(a, b):
    """The mean over the three channels."""
    a, b = blurred(a, 1), blurred(b, 1)
    mean_a, mean_b = blurred(a, WINDOW_SIGMA), blurred(b, WINDOW_SIGMA)
    variance_a, variance_b = blurred(a * a, WINDOW_SIGMA) - mean_a**2, blurred(b * b, WINDOW_SIGMA) - mean_b**2
    covariance = blurred(a * b, WINDOW_SIGMA) - mean_a * mean_b
    return float((((2 * mean_a * mean_b + C1) * (2 * covariance + C2)) / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))).mean())


def same_class(a, b):
    """The share of pixels whose nearest class colour is the same, of those that are not white in both; none without colours."""
    colours, counts = numpy.unique(a.reshape(-1, 3), axis=0, return_counts=True)
    classes = colours[counts >= CLASS_SHARE_MIN * a.shape[0] * a.shape[1]]
    if len(classes) < 2:
        return 0.0
    nearest = [numpy.stack([((picture - colour) ** 2).sum(axis=2) for colour in classes]).argmin(axis=0) for picture in (a, b)]
    is_drawn = (a.min(axis=2) < WHITE) | (b.min(axis=2) < WHITE)
    return float((nearest[0] == nearest[1])[is_drawn].mean()) if is_drawn.any() else 0.0


def tone(a, b):
    """How far apart the colours are from afar, in the mean of what is drawn."""
    is_drawn = (a.min(axis=2) < WHITE) | (b.min(axis=2) < WHITE)
    apart = numpy.abs(blurred(a, AFAR_PX) - blurred(b, AFAR_PX)).mean(axis=2)
    return float(apart[is_drawn].mean()) if is_drawn.any() else 0.0


def agree(a, b):
    figures = ssim(a, b), same_class(a, b)
    gap, gap_of_nothing = 1 - figures[0], 1 - ssim(a, numpy.full_like(a, 255))
    is_alike = figures[0] >= SSIM_MIN and gap <= GAP_SHARE_MAX * gap_of_nothing
    return figures, is_alike or figures[1] >= CLASS_MIN


def main():
    pictures, publication = map(Path, sys.argv[1:])
    names = json.loads((pictures / "styles.json").read_text())["styles"]
    reports = {report["id"]: report["notes"] for report in json.loads(publication.read_text())}
    agreed = named = failed = 0
    for name in names:
        a, b = read(pictures / f"{name}-qgis.png"), read(pictures / f"{name}-web.png")
        (similarity, share), is_same = agree(a, b)
        losses = [note.split(" : ", 1)[1] for note in reports[name] if note.startswith("style «")]
        # Nothing at all, as of a style of labels only, is shown by both.
        if a.min() == 255:
            is_same = b.min() == 255
        else:
            assert same_class(a, numpy.full_like(a, 255)) < CLASS_MIN, f"{name}: an empty map would do"
        away = tone(a, b)
        is_said = any(PHASE not in loss or away <= TONE_MAX for loss in losses)
        verdict = "same" if is_same else "said" if is_said else "FAILED"
        agreed, named, failed = agreed + is_same, named + (verdict == "said"), failed + (verdict == "FAILED")
        print(f"{verdict:6} {name:28} SSIM {similarity:.3f}  class {share:.3f}  tone {away:4.1f}  {' ; '.join(losses)}")
    print(f"fidelity: {agreed} styles look the same, {named} differ as the report says, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
