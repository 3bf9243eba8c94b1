#!/usr/bin/env python3
"""Makes the styles of QGIS that the demonstration town is drawn with, `styles/*.qml`: as QGIS 3 saves them, without what it
leaves at its defaults. The files are committed; run this only to change the town's look."""

from pathlib import Path
from xml.sax.saxutils import quoteattr

STYLES = Path(__file__).resolve().parents[2] / "styles"
WHITE, GREY = "255,255,255,255", "85,85,85,255"


def element(tag, inside="", **attributes):
    said = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    if not inside:
        return f"<{tag}{said}/>\n"
    body = "".join(f"  {line}\n" for line in inside.rstrip("\n").split("\n"))
    return f"<{tag}{said}>\n{body}</{tag}>\n"


def layer(_class, inside="", level=0, **options):
    said = "".join(element("Option", name=name, type="QString", value=value) for name, value in options.items())
    return element("layer", element("Option", said, type="Map") + inside, **{"class": _class}, enabled=1, locked=0, **{"pass": level})


def symbol(name, kind, layers):
    return element("symbol", layers, name=name, type=kind, alpha=1, clip_to_extent=1, force_rhr=0)


def fill(colour, outline=GREY, width=0.2):
    return layer("SimpleFill", color=colour, style="solid", outline_color=outline, outline_style="solid", outline_width=width, outline_width_unit="MM", joinstyle="round")


def line(colour, width, level=0, **options):
    return layer("SimpleLine", level=level, line_color=colour, line_width=width, line_width_unit="MM", line_style="solid", capstyle="round", joinstyle="round", **options)


def hatch(colour, distance, angle):
    inner = symbol("@1@1", "line", line(colour, 0.2))
    return layer("LinePatternFill", inner, angle=angle, color=colour, distance=distance, distance_unit="MM", line_width=0.2, line_width_unit="MM")


def marker(shape, colour, size):
    return layer("SimpleMarker", name=shape, color=colour, size=size, size_unit="MM", outline_color=WHITE, outline_style="solid", outline_width=0.3, outline_width_unit="MM", joinstyle="round", angle=0, scale_method="diameter")


def categories(field, kind, classes):
    """Classes: value, label, layers of the symbol; an empty value is what is left."""
    listed = "".join(element("category", value=value, symbol=at, label=label, render="true", type="string") for at, (value, label, _) in enumerate(classes))
    symbols = "".join(symbol(at, kind, layers) for at, (*_, layers) in enumerate(classes))
    return element("renderer-v2", element("categories", listed) + element("symbols", symbols), type="categorizedSymbol", attr=field, symbollevels=0, enableorderby=0, forceraster=0)


def ranges(field, kind, classes):
    """Classes: from, to, label, layers of the symbol. Levels are drawn one above the other, so that roads join."""
    listed = "".join(element("range", lower=f"{lower:.15f}", upper=f"{upper:.15f}", symbol=at, label=label, render="true") for at, (lower, upper, label, _) in enumerate(classes))
    symbols = "".join(symbol(at, kind, layers) for at, (*_, layers) in enumerate(classes))
    return element("renderer-v2", element("ranges", listed) + element("symbols", symbols), type="graduatedSymbol", attr=field, graduatedMethod="GraduatedColor", symbollevels=1, enableorderby=0, forceraster=0)


def labels(field, size, colour, placement, closest, widest, bold=False):
    buffer = element("text-buffer", bufferDraw=1, bufferSize=0.8, bufferSizeUnits="MM", bufferColor=WHITE, bufferOpacity=0.85, bufferJoinStyle=128)
    style = element("text-style", buffer, fieldName=field, isExpression=0, fontFamily="Noto Sans", fontSize=size, fontSizeUnit="Point", fontWeight=75 if bold else 50, fontItalic=0, namedStyle="Bold" if bold else "Regular", textColor=colour, textOpacity=1)
    rendering = element("rendering", scaleVisibility=1, scaleMin=closest, scaleMax=widest, displayAll=0, obstacle=1)
    return element("labeling", element("settings", style + element("placement", placement=placement, quadOffset=4) + rendering, calloutType="simple"), type="simple")


def write(name, renderer, labeling=""):
    document = element("qgis", renderer + labeling + "<layerOpacity>1</layerOpacity>\n", version="3.34.0-Prizren", styleCategories="Symbology|Labeling", labelsEnabled=1 if labeling else 0, hasScaleBasedVisibilityFlag=0)
    (STYLES / f"{name}.qml").write_text("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + document, encoding="utf-8")


def main():
    protected = fill("200,224,158,170") + hatch("74,124,62,255", 1.6, 45)
    zones = [("Zone à bâtir", "À bâtir", fill("236,160,128,190")), ("Zone protégée", "Protégée", protected), ("Forêt", "Forêt", fill("95,154,92,200"))]
    write("zones", categories("libelle", "fill", zones), labels("zone", 8, "60,60,60,255", 1, 0, 40000, bold=True))
    colours = {"Chêne pédonculé": "122,86,38,255", "Hêtre": "198,129,16,255", "Frêne élevé": "9,156,88,255", "Érable plane": "205,72,62,255", "If": "18,82,60,255", "Châtaignier": "138,88,162,255"}
    trees = [(name, name, marker("circle", colour, 2.4)) for name, colour in colours.items()]
    write("arbres", categories("espece", "marker", trees + [("", "Autre espèce", marker("circle", "130,130,130,255", 2.0))]))
    road = lambda width, colour: line("110,100,90,255", width + 0.5, 0) + line(colour, width, 1)
    roads = [(2, 4, "Moins de 4 m", road(0.5, "255,255,255,255")), (4, 6, "De 4 à 6 m", road(0.9, "253,226,150,255")), (6, 12, "6 m et plus", road(1.5, "246,178,107,255"))]
    write("voies", ranges("largeur_m", "line", roads), labels("nom", 8, "60,50,40,255", 3, 0, 10000))
    bins = [("Verre", "Verre", marker("square", "9,130,80,255", 3)), ("Papier", "Papier", marker("diamond", "0,96,214,255", 3.6)), ("Emballages", "Emballages", marker("triangle", "226,160,0,255", 3.4))]
    write("points_apport", categories("type", "marker", bins))


main()
