//! How a layer is drawn when nobody said how: pleasant, told apart by whoever sees colours differently, fit for print.
//!
//! The colour comes from the layer's id, so that it stays while layers come and go. The eight are dark enough to be seen as
//! a line on white paper (contrast 3 and more, WCAG 2.1 1.4.11), light enough for a pale fill of each to keep writing
//! legible, and lie apart also for protanopes and deuteranopes, by lightness where hues fall together. Tests hold them to it.

use crate::model::layer::LayerId;
use crate::portrayal::Style;
use crate::portrayal::colour::Colour;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Dimension;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Part;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Stroke;

/// Blue, amber, green, violet, indigo, rust, teal, umber: found by a search for the greatest least difference around eight
/// hues that please.
pub const PALETTE: [Colour; 8] = [
    Colour::rgb(0, 96, 214),
    Colour::rgb(198, 129, 16),
    Colour::rgb(9, 156, 88),
    Colour::rgb(138, 88, 162),
    Colour::rgb(45, 25, 115),
    Colour::rgb(133, 45, 12),
    Colour::rgb(16, 161, 146),
    Colour::rgb(89, 75, 69),
];

/// A fill lets the map below and the neighbour's boundary be seen.
const FILL_OPACITY: f64 = 0.35;
const BOUNDARY_PX: f64 = 1.2;
const LINE_PX: f64 = 2.0;
const POINT_PX: f64 = 8.0;
/// A white rim keeps points apart where they lie close.
const RIM_PX: f64 = 1.2;

/// One symbol for every feature.
pub fn style(layer: &LayerId, dimension: Dimension) -> Style {
    let colour = colour(layer);
    let symbol = match dimension {
        Dimension::Points => vec![point(colour)],
        Dimension::Lines => vec![line(colour, LINE_PX)],
        Dimension::Polygons => vec![fill(colour), line(colour, BOUNDARY_PX)],
        Dimension::Mixed => vec![fill(colour), line(colour, LINE_PX), point(colour)],
    };
    Style { rules: vec![Rule::every(symbol)], ..Style::default() }
}

/// The same for an id on every machine and for ever: FNV-1a.
pub fn colour(layer: &LayerId) -> Colour {
    let hash =
        layer.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    PALETTE[(hash % PALETTE.len() as u64) as usize]
}

fn fill(colour: Colour) -> Part {
    Paint::Fill(Fill::Solid(colour.with_opacity(FILL_OPACITY))).at_level(0)
}

fn line(colour: Colour, width_px: f64) -> Part {
    Paint::Stroke(Stroke { cap: Cap::Round, join: Join::Round, ..Stroke::solid(colour, Length::Pixels(width_px)) }).at_level(0)
}

fn point(colour: Colour) -> Part {
    let rim = Stroke::solid(Colour::WHITE, Length::Pixels(RIM_PX));
    Paint::Marker(Marker { outline: Some(rim), ..Marker::circle(Length::Pixels(POINT_PX), colour) }, Place::Point).at_level(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear light of a colour, each channel 0 to 1.
    fn linear(colour: Colour) -> [f64; 3] {
        [colour.red, colour.green, colour.blue].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// What protanopes and deuteranopes see, in linear light (Machado, Oliveira, Fernandes 2009, severity 1).
    const SIGHTS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ];

    fn seen(colour: Colour, sight: &[[f64; 3]; 3]) -> [f64; 3] {
        let light = linear(colour);
        sight.map(|row| row.iter().zip(light).map(|(weight, channel)| weight * channel).sum::<f64>().clamp(0.0, 1.0))
    }

    /// CIE L*a*b*, D65.
    fn lab(light: [f64; 3]) -> [f64; 3] {
        let [red, green, blue] = light;
        let xyz = [
            (0.412_456 * red + 0.357_576 * green + 0.180_437 * blue) / 0.950_47,
            0.212_673 * red + 0.715_152 * green + 0.072_175 * blue,
            (0.019_334 * red + 0.119_192 * green + 0.950_304 * blue) / 1.088_83,
        ];
        let [x, y, z] = xyz.map(|value| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn every_two_colours_are_told_apart_by_every_sight() {
        // A difference of 2.3 is just seen side by side; apart on a map it takes ten times as much.
        const APART_MIN: f64 = 25.0;
        for (at, a) in PALETTE.iter().enumerate() {
            for b in &PALETTE[at + 1..] {
                for sight in &SIGHTS {
                    let difference = apart(lab(seen(*a, sight)), lab(seen(*b, sight)));
                    assert!(difference >= APART_MIN, "{} {}: {difference}", a.hex(), b.hex());
                }
            }
        }
    }

    #[test]
    fn every_colour_is_seen_on_white_and_writing_is_seen_on_its_fill() {
        for colour in PALETTE {
            assert!(colour.contrast(Colour::WHITE) >= 3.0, "{}", colour.hex());
            let fill = Colour::WHITE.between(colour, FILL_OPACITY);
            assert!(fill.contrast(Colour::BLACK) >= 7.0, "{}", colour.hex());
        }
    }

    #[test]
    fn a_layer_keeps_its_colour() {
        let id = |id: &str| LayerId::new(id).expect("an id");
        let ids: Vec<LayerId> = (0..200).map(|at| id(&format!("couche_{at}"))).collect();
        for known in PALETTE {
            let count = ids.iter().filter(|id| colour(id) == known).count();
            assert!(count > 10, "{}: {count} of 200", known.hex());
        }
        assert_eq!(colour(&id("arbres")).hex(), "#10a192", "the colour of « arbres » never changes");
    }
}
