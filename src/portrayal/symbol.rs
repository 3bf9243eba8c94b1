//! What is drawn: parts of a symbol, from the bottom to the top.

use crate::model::layer::GeometryType;
use crate::portrayal::colour::Colour;
use crate::portrayal::scale::Length;

/// What a layer holds, as far as drawing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Points,
    Lines,
    Polygons,
    Mixed,
}

impl From<GeometryType> for Dimension {
    fn from(geometry: GeometryType) -> Dimension {
        match geometry {
            GeometryType::Point | GeometryType::MultiPoint => Dimension::Points,
            GeometryType::LineString | GeometryType::MultiLineString => Dimension::Lines,
            GeometryType::Polygon | GeometryType::MultiPolygon => Dimension::Polygons,
            GeometryType::GeometryCollection | GeometryType::Geometry => Dimension::Mixed,
        }
    }
}

/// A part of a symbol: a symbol layer of QGIS, a symbolizer of SLD.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Parts of a lower level of all features lie below those of a higher one.
    pub level: i32,
    pub paint: Paint,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Paint {
    /// The inside of polygons.
    Fill(Fill),
    /// Lines, and the boundary of polygons.
    Stroke(Stroke),
    Marker(Marker, Place),
}

impl Paint {
    pub fn at_level(self, level: i32) -> Part {
        Part { level, paint: self }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    Solid(Colour),
    Hatch(Hatch),
    /// Markers in rows and columns.
    Markers {
        marker: Box<Marker>,
        step_x: Length,
        step_y: Length,
    },
}

/// Parallel lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Hatch {
    pub colour: Colour,
    pub width: Length,
    /// From line to line, across them.
    pub spacing: Length,
    /// Of the lines, from the east, counter-clockwise.
    pub angle_deg: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    pub colour: Colour,
    pub width: Length,
    /// Dash, gap, dash, gap…; empty: a line without gaps. Caps lengthen dashes, as in SVG.
    pub dashes: Vec<Length>,
    pub dash_offset: Length,
    /// To the right of the line's direction.
    pub offset: Length,
    pub cap: Cap,
    pub join: Join,
}

impl Stroke {
    pub fn solid(colour: Colour, width: Length) -> Stroke {
        Stroke { colour, width, dashes: Vec::new(), dash_offset: Length::ZERO, offset: Length::ZERO, cap: Cap::Butt, join: Join::Mitre }
    }

    pub fn is_visible(&self) -> bool {
        self.colour.is_visible() && self.width.value() > 0.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    Butt,
    Round,
    Square,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    Mitre,
    Round,
    Bevel,
}

/// Where markers stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// On points; inside polygons and on the middle of lines, where there are no points.
    Point,
    /// On lines, again and again.
    Along {
        interval: Length,
        is_turned: bool,
    },
    Vertices {
        is_turned: bool,
    },
    First {
        is_turned: bool,
    },
    Last {
        is_turned: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    pub shape: Shape,
    /// Width and height of the shape without its outline.
    pub size: Length,
    pub fill: Option<Colour>,
    pub outline: Option<Stroke>,
    /// Clockwise; the displacement turns with it.
    pub angle_deg: f64,
    /// To the right and downwards.
    pub displacement: (Length, Length),
}

/// Marks by the names that QGIS and SLD share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Mark(Mark),
    /// A picture by the address or path that the style gives, which is never opened.
    Picture(String),
}

/// A closed set of marks: each member, and how QGIS calls it.
macro_rules! marks {
    ($($member:ident = $word:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mark { $($member),* }

        impl Mark {
            pub const ALL: &'static [Mark] = &[$(Mark::$member),*];

            /// As QGIS writes it.
            pub fn word(self) -> &'static str {
                match self { $(Mark::$member => $word),* }
            }
        }
    };
}

marks! {
    Circle = "circle",
    Square = "square",
    Diamond = "diamond",
    Triangle = "triangle",
    EquilateralTriangle = "equilateral_triangle",
    Pentagon = "pentagon",
    Hexagon = "hexagon",
    Octagon = "octagon",
    Star = "star",
    Arrow = "arrow",
    ArrowHead = "arrowhead",
    FilledArrowHead = "filled_arrowhead",
    Cross = "cross",
    CrossFill = "cross_fill",
    X = "x",
    Line = "line",
    SemiCircle = "semi_circle",
    QuarterCircle = "quarter_circle",
    HalfSquare = "half_square",
    QuarterSquare = "quarter_square",
    DiagonalHalfSquare = "diagonal_half_square",
    LeftHalfTriangle = "left_half_triangle",
    RightHalfTriangle = "right_half_triangle",
}

impl Mark {
    /// By any name that QGIS, SLD or GeoServer gives it.
    pub fn from_word(word: &str) -> Option<Mark> {
        let word = word.trim().to_ascii_lowercase();
        let synonym = match word.strip_prefix("shape://").unwrap_or(&word) {
            "rectangle" => "square",
            "regular_star" | "diamond_star" => "star",
            "cross2" | "times" => "x",
            "plus" => "cross",
            "vertline" => "line",
            "oarrow" => "arrowhead",
            "carrow" => "filled_arrowhead",
            other => other,
        };
        Mark::ALL.iter().copied().find(|mark| mark.word() == synonym)
    }

    /// Lines without an inside: only the outline is drawn.
    pub fn is_open(self) -> bool {
        matches!(self, Mark::Cross | Mark::X | Mark::Line | Mark::ArrowHead)
    }
}

impl Marker {
    /// What stands for a marker that cannot be drawn.
    pub fn circle(size: Length, fill: Colour) -> Marker {
        let shape = Shape::Mark(Mark::Circle);
        Marker { shape, size, fill: Some(fill), outline: None, angle_deg: 0.0, displacement: (Length::ZERO, Length::ZERO) }
    }

    pub fn is_displaced(&self) -> bool {
        !self.displacement.0.is_zero() || !self.displacement.1.is_zero()
    }

    pub fn faded(mut self, opacity: f64) -> Marker {
        self.fill = self.fill.map(|fill| fill.faded(opacity));
        if let Some(outline) = &mut self.outline {
            outline.colour = outline.colour.faded(opacity);
        }
        self
    }
}

impl Paint {
    /// Under a veil of that opacity.
    pub fn faded(self, opacity: f64) -> Paint {
        match self {
            Paint::Fill(Fill::Solid(colour)) => Paint::Fill(Fill::Solid(colour.faded(opacity))),
            Paint::Fill(Fill::Hatch(hatch)) => Paint::Fill(Fill::Hatch(Hatch { colour: hatch.colour.faded(opacity), ..hatch })),
            Paint::Fill(Fill::Markers { marker, step_x, step_y }) => {
                Paint::Fill(Fill::Markers { marker: Box::new(marker.faded(opacity)), step_x, step_y })
            }
            Paint::Stroke(stroke) => Paint::Stroke(Stroke { colour: stroke.colour.faded(opacity), ..stroke }),
            Paint::Marker(marker, place) => Paint::Marker(marker.faded(opacity), place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_known_by_every_name() {
        for mark in Mark::ALL {
            assert_eq!(Mark::from_word(mark.word()), Some(*mark));
        }
        assert_eq!(Mark::from_word("shape://plus"), Some(Mark::Cross));
        assert_eq!(Mark::from_word("Rectangle"), Some(Mark::Square));
        assert_eq!(Mark::from_word("heart"), None);
    }

    #[test]
    fn fading_reaches_every_colour() {
        let outline = Stroke::solid(Colour::BLACK, Length::Pixels(1.0));
        let marker = Marker { outline: Some(outline), ..Marker::circle(Length::Pixels(4.0), Colour::WHITE) };
        let faded = marker.faded(0.5);
        assert_eq!((faded.fill.map(|fill| fill.opacity), faded.outline.map(|line| line.colour.opacity)), (Some(0.5), Some(0.5)));
    }
}
