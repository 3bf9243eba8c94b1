"""The styles that a map is compared by: each a kind of layer and what QGIS draws it with."""

from qgis.core import QgsCategorizedSymbolRenderer
from qgis.core import QgsCentroidFillSymbolLayer
from qgis.core import QgsFillSymbol
from qgis.core import QgsGraduatedSymbolRenderer
from qgis.core import QgsLinePatternFillSymbolLayer
from qgis.core import QgsLineSymbol
from qgis.core import QgsMarkerLineSymbolLayer
from qgis.core import QgsMarkerSymbol
from qgis.core import QgsPointPatternFillSymbolLayer
from qgis.core import QgsRendererCategory
from qgis.core import QgsRendererRange
from qgis.core import QgsRuleBasedRenderer
from qgis.core import QgsSimpleFillSymbolLayer
from qgis.core import QgsSimpleLineSymbolLayer
from qgis.core import QgsSingleSymbolRenderer
from qgis.core import QgsSvgMarkerSymbolLayer
from qgis.PyQt.QtGui import QPainter

GREEN, BLUE, RED, YELLOW, GREY = "#2f7d4f", "#1f78b4", "#c0392b", "#f2c14e", "#888888"
COLOURS = [GREEN, YELLOW, BLUE, RED]
# Every style: its name -> its layer and how that is set up.
STYLES = {}


def style(kind):
    """Registers what makes a renderer, or sets more on the layer that it is given."""

    def register(make):
        STYLES[make.__name__] = (kind, make)
        return make

    return register


def marker(**properties):
    defaults = {"name": "circle", "size": "4", "color": GREEN, "outline_color": "#232323", "outline_width": "0.4"}
    return QgsMarkerSymbol.createSimple({**defaults, **properties})


def line(**properties):
    return QgsLineSymbol.createSimple({"line_color": BLUE, "line_width": "0.8", **properties})


def fill(**properties):
    return QgsFillSymbol.createSimple({"color": YELLOW, "outline_color": "#232323", "outline_width": "0.4", **properties})


def of_layers(symbol, *layers):
    symbol.deleteSymbolLayer(0)
    for layer in layers:
        symbol.appendSymbolLayer(layer)
    return symbol


def over(symbol, other):
    """What the other symbol draws, drawn upon this one."""
    symbol.appendSymbolLayer(other.symbolLayer(0).clone())


def single(symbol):
    return QgsSingleSymbolRenderer(symbol)


def categories(symbol_of, values, with_others):
    classes = [QgsRendererCategory(value, symbol_of(color), value) for value, color in zip(values, COLOURS)]
    others = [QgsRendererCategory(None, symbol_of(GREY), "Autres")] if with_others else []
    return QgsCategorizedSymbolRenderer("nature", classes + others)


def ranges(symbol_of, field, ends):
    classes = [QgsRendererRange(lower, upper, symbol_of(color), f"{lower} à {upper}") for (lower, upper), color in zip(zip(ends, ends[1:]), COLOURS)]
    return QgsGraduatedSymbolRenderer(field, classes)


def rules(*branches):
    """Branches: symbol, filter, closest and widest denominators, branches below."""

    def grow(parent, symbol, condition, closest=0, widest=0, below=()):
        rule = QgsRuleBasedRenderer.Rule(symbol, int(closest), int(widest), condition, condition)
        parent.appendChild(rule)
        for branch in below:
            grow(rule, *branch)

    root = QgsRuleBasedRenderer.Rule(None)
    for branch in branches:
        grow(root, *branch)
    return QgsRuleBasedRenderer(root)


@style("point")
def marker_circle(_):
    return single(marker())


@style("point")
def marker_square_points(_):
    return single(marker(name="square", size="12", size_unit="Point", color=BLUE, outline_width="1", outline_width_unit="Point"))


@style("point")
def marker_triangle_pixels(_):
    return single(marker(name="triangle", size="18", size_unit="Pixel", color=RED, outline_width="2", outline_width_unit="Pixel"))


@style("point")
def marker_diamond_no_outline(_):
    return single(marker(name="diamond", size="5", outline_style="no"))


@style("point")
def marker_star_turned(_):
    return single(marker(name="star", size="7", color=YELLOW, angle="25"))


@style("point")
def marker_cross(_):
    return single(marker(name="cross", size="5", outline_color=RED, outline_width="0.8"))


@style("point")
def marker_cross_fill(_):
    return single(marker(name="cross_fill", size="6", color=RED, angle="45"))


@style("point")
def marker_x_and_arrow(_):
    symbol = marker(name="cross2", size="4", outline_color=BLUE, outline_width="0.6")
    over(symbol, marker(name="arrow", size="8", color=RED, angle="90"))
    return single(symbol)


@style("point")
def marker_pentagon_hexagon(_):
    symbol = marker(name="hexagon", size="7", color=BLUE)
    over(symbol, marker(name="pentagon", size="4", color=YELLOW))
    return single(symbol)


@style("point")
def marker_equilateral(_):
    return single(marker(name="equilateral_triangle", size="6", color=BLUE, joinstyle="miter"))


@style("point")
def marker_half_square_shifted(_):
    return single(marker(name="half_square", size="6", offset="2,-1", color=GREEN))


@style("point")
def marker_map_units(_):
    return single(marker(size="30", size_unit="MapUnit", color=BLUE, outline_width="0.4"))


@style("point")
def marker_ground_square(_):
    return single(marker(name="square", size="30", size_unit="RenderMetersInMapUnits", outline_style="no"))


@style("point")
def marker_faded(layer):
    layer.setOpacity(0.6)
    symbol = marker(size="6", color="#80c0392b", outline_style="no")
    symbol.setOpacity(0.7)
    return single(symbol)


@style("point")
def marker_svg(_):
    return single(of_layers(marker(), QgsSvgMarkerSymbolLayer("/usr/share/qgis/svg/transport/transport_bus_stop.svg", 6)))


@style("point")
def categories_others(_):
    return categories(lambda color: marker(color=color, size="5"), ["Forêt", "Pré", "Eau"], True)


@style("point")
def categories_shapes(_):
    symbols = {GREEN: "circle", YELLOW: "square", BLUE: "triangle", RED: "star"}
    return categories(lambda color: marker(name=symbols.get(color, "diamond"), color=color, size="5"), ["Forêt", "Pré", "Eau", "Bâti"], True)


@style("point")
def ranges_half_open(_):
    return ranges(lambda color: marker(color=color, size="5"), "n", [10, 30, 50, 70])


@style("point")
def rules_else(_):
    near = (marker(name="star", size="6", color=RED), '"mesure" > 60', 0, 100000, ())
    far = (marker(size="12", color=GREY), "\"nature\" = 'Eau'", 50000, 0, ())
    inner = (None, "\"nature\" IN ('Forêt', 'Pré')", 0, 0, [(marker(name="square", color=GREEN), '"n" < 20'), (marker(name="square", color=YELLOW), "ELSE")])
    return rules(near, far, inner, (marker(size="3", color=GREY), "ELSE"))


@style("line")
def line_simple(_):
    return single(line(capstyle="round", joinstyle="round"))


@style("line")
def line_bevel_wide(_):
    return single(line(line_width="3", joinstyle="bevel", capstyle="flat"))


@style("line")
def line_mitre_points(_):
    return single(line(line_width="6", line_width_unit="Point", joinstyle="miter", line_color=RED))


@style("line")
def line_hair(_):
    return single(line(line_width="0", line_color="#232323"))


@style("line")
def line_map_units(_):
    return single(line(line_width="12", line_width_unit="MapUnit", line_color=GREY))


@style("line")
def line_dashed(_):
    return single(line(line_style="dash", line_width="1", capstyle="flat"))


@style("line")
def line_dash_custom(_):
    return single(line(use_custom_dash="1", customdash="6;2;1;2", customdash_unit="MM", line_width="1.2", capstyle="flat", line_color=RED))


@style("line")
def line_dots_square_cap(_):
    return single(line(line_style="dot", line_width="1.2", capstyle="square"))


@style("line")
def line_casing(_):
    symbol = line(line_color="#232323", line_width="2.4", joinstyle="round", capstyle="round")
    over(symbol, line(line_color=YELLOW, line_width="1.6", joinstyle="round", capstyle="round"))
    return single(symbol)


@style("line")
def line_offset(_):
    symbol = line(line_color="#232323", line_width="0.5")
    over(symbol, line(line_color=RED, line_width="0.8", offset="1.6", joinstyle="round"))
    return single(symbol)


@style("line")
def line_categories(_):
    return categories(lambda color: line(line_color=color, line_width="2", joinstyle="round"), ["Forêt", "Pré", "Eau"], False)


@style("line")
def line_rules_widths(_):
    return rules((line(line_width="3", line_color=RED, joinstyle="round"), '"n" >= 8'), (line(line_width="1.5", line_color=GREEN, joinstyle="round"), '"n" < 8 AND "nature" <> \'Eau\''))


@style("line")
def line_markers(_):
    markers = QgsMarkerLineSymbolLayer(True, 8)
    markers.setSubSymbol(marker(name="triangle", size="3", color=RED, angle="90"))
    symbol = line(line_width="0.4")
    symbol.appendSymbolLayer(markers)
    return single(symbol)


@style("line")
def line_vertices(_):
    markers = QgsMarkerLineSymbolLayer(True)
    markers.setPlacement(QgsMarkerLineSymbolLayer.Vertex)
    markers.setSubSymbol(marker(size="3", color=YELLOW))
    symbol = line(line_width="0.4")
    symbol.appendSymbolLayer(markers)
    return single(symbol)


@style("polygon")
def fill_simple(_):
    return single(fill(joinstyle="round"))


@style("polygon")
def fill_no_brush(_):
    return single(fill(style="no", outline_width="1", outline_color=RED))


@style("polygon")
def fill_no_outline(_):
    return single(fill(outline_style="no", color=GREEN))


@style("polygon")
def fill_dashed_outline(_):
    return single(fill(outline_style="dash", outline_width="0.8", color="#80f2c14e"))


@style("polygon")
def fill_brush_horizontal(_):
    return single(fill(style="horizontal", color=RED))


@style("polygon")
def fill_brush_diagonal(_):
    return single(fill(style="b_diagonal", color=BLUE))


@style("polygon")
def fill_brush_cross(_):
    return single(fill(style="diagonal_x", color=GREEN))


@style("polygon")
def fill_brush_dense(_):
    return single(fill(style="dense4", color=GREEN))


def hatched(angle, distance, width, color):
    pattern = QgsLinePatternFillSymbolLayer()
    pattern.setLineAngle(angle)
    pattern.setDistance(distance)
    pattern.setSubSymbol(line(line_color=color, line_width=str(width)))
    return pattern


@style("polygon")
def fill_lines(_):
    symbol = fill(color="#e8f0d8")
    symbol.appendSymbolLayer(hatched(45, 3, 0.5, GREEN))
    return single(symbol)


@style("polygon")
def fill_lines_steep(_):
    symbol = fill(style="no")
    symbol.appendSymbolLayer(hatched(110, 4, 1, RED))
    return single(symbol)


@style("polygon")
def fill_points(_):
    pattern = QgsPointPatternFillSymbolLayer()
    pattern.setDistanceX(4)
    pattern.setDistanceY(4)
    pattern.setSubSymbol(marker(size="2", color=BLUE, outline_style="no"))
    symbol = fill(style="no")
    symbol.appendSymbolLayer(pattern)
    return single(symbol)


@style("polygon")
def fill_centroid(_):
    centroid = QgsCentroidFillSymbolLayer()
    centroid.setSubSymbol(marker(size="4", color=RED))
    symbol = fill(color="#e8f0d8")
    symbol.appendSymbolLayer(centroid)
    return single(symbol)


@style("polygon")
def fill_categories_others(_):
    return categories(lambda color: fill(color=color, joinstyle="round"), ["Forêt", "Pré", "Eau"], True)


@style("polygon")
def fill_ranges(_):
    return ranges(lambda color: fill(color=color, joinstyle="round"), "mesure", [0, 7.5, 15, 22.5, 30])


@style("polygon")
def fill_outline_layers(_):
    outer = QgsSimpleLineSymbolLayer.create({"line_color": RED, "line_width": "1.6", "joinstyle": "round"})
    inner = QgsSimpleLineSymbolLayer.create({"line_color": "#ffffff", "line_width": "0.6", "joinstyle": "round"})
    plain = QgsSimpleFillSymbolLayer.create({"color": GREEN, "outline_style": "no"})
    return single(of_layers(fill(), plain, outer, inner))


@style("polygon")
def fill_outline_inside(_):
    inside = QgsSimpleLineSymbolLayer.create({"line_color": RED, "line_width": "2", "offset": "1", "joinstyle": "round"})
    symbol = fill(color="#e8f0d8")
    symbol.appendSymbolLayer(inside)
    return single(symbol)


@style("polygon")
def fill_layer_faded(layer):
    layer.setOpacity(0.5)
    return single(fill(color=GREEN, outline_style="no"))


@style("polygon")
def fill_layer_faded_outline(layer):
    layer.setOpacity(0.5)
    return single(fill(color=GREEN, outline_width="2"))


@style("polygon")
def fill_blend(layer):
    layer.setBlendMode(QPainter.CompositionMode_Multiply)
    return single(fill(color=BLUE))
