//! Labels: the text, its look, where it stands.

use crate::portrayal::colour::Colour;
use crate::portrayal::scale::Length;
use crate::portrayal::scale::ScaleRange;
use crate::query::filter::Filter;

/// A label draws itself on features as a rule does.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub filter: Option<Filter>,
    pub unless: Vec<Filter>,
    pub scale: ScaleRange,
    pub text: Vec<Piece>,
    /// As the style names it; what is drawn has the look, not always the family.
    pub family: String,
    pub is_bold: bool,
    pub is_italic: bool,
    pub size: Length,
    pub colour: Colour,
    pub halo: Option<(Colour, Length)>,
    pub placement: Placement,
    /// Clockwise.
    pub angle_deg: f64,
    /// To the right and downwards.
    pub displacement: (Length, Length),
    /// Every label is drawn, also over others.
    pub is_forced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Field(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// At a point or inside a polygon; which side of it the text lies.
    Point(Anchor),
    /// Along the line.
    Line,
}

/// The side of the text that the point touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Centre,
    Left,
    Right,
    Top,
    Bottom,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl Anchor {
    pub const ALL: [Anchor; 9] = [
        Anchor::Centre,
        Anchor::Left,
        Anchor::Right,
        Anchor::Top,
        Anchor::Bottom,
        Anchor::TopLeft,
        Anchor::TopRight,
        Anchor::BottomLeft,
        Anchor::BottomRight,
    ];

    /// As MapLibre writes it.
    pub fn word(self) -> &'static str {
        match self {
            Anchor::Centre => "center",
            Anchor::Left => "left",
            Anchor::Right => "right",
            Anchor::Top => "top",
            Anchor::Bottom => "bottom",
            Anchor::TopLeft => "top-left",
            Anchor::TopRight => "top-right",
            Anchor::BottomLeft => "bottom-left",
            Anchor::BottomRight => "bottom-right",
        }
    }

    /// Shares of the text's width and height that lie left of the point and below it (SLD's `AnchorPoint`).
    pub fn shares(self) -> (f64, f64) {
        let x = match self {
            Anchor::Left | Anchor::TopLeft | Anchor::BottomLeft => 0.0,
            Anchor::Centre | Anchor::Top | Anchor::Bottom => 0.5,
            Anchor::Right | Anchor::TopRight | Anchor::BottomRight => 1.0,
        };
        let y = match self {
            Anchor::Bottom | Anchor::BottomLeft | Anchor::BottomRight => 0.0,
            Anchor::Centre | Anchor::Left | Anchor::Right => 0.5,
            Anchor::Top | Anchor::TopLeft | Anchor::TopRight => 1.0,
        };
        (x, y)
    }

    /// The nearest.
    pub fn from_shares(x: f64, y: f64) -> Anchor {
        let distance = |anchor: &Anchor| {
            let (own_x, own_y) = anchor.shares();
            (own_x - x).powi(2) + (own_y - y).powi(2)
        };
        Anchor::ALL.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(Anchor::Centre)
    }
}

impl Label {
    /// Black, ten points, as QGIS begins.
    pub fn plain(text: Vec<Piece>) -> Label {
        Label {
            filter: None,
            unless: Vec::new(),
            scale: ScaleRange::ALL,
            text,
            family: String::new(),
            is_bold: false,
            is_italic: false,
            size: Length::points(10.0),
            colour: Colour::BLACK,
            halo: None,
            placement: Placement::Point(Anchor::Centre),
            angle_deg: 0.0,
            displacement: (Length::ZERO, Length::ZERO),
            is_forced: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_the_nearest_of_its_shares() {
        for anchor in Anchor::ALL {
            let (x, y) = anchor.shares();
            assert_eq!(Anchor::from_shares(x, y), anchor);
        }
        assert_eq!(Anchor::from_shares(0.1, 0.9), Anchor::TopLeft);
    }
}
