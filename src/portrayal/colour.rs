//! Colours, sRGB, and the ways that styles write them.

/// A colour and how much of it covers what lies below (0 nothing, 1 all).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colour {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    pub opacity: f64,
}

impl Colour {
    pub const BLACK: Colour = Colour::rgb(0, 0, 0);
    pub const WHITE: Colour = Colour::rgb(255, 255, 255);

    pub const fn rgb(red: u8, green: u8, blue: u8) -> Colour {
        Colour { red, green, blue, opacity: 1.0 }
    }

    pub fn with_opacity(self, opacity: f64) -> Colour {
        Colour { opacity: opacity.clamp(0.0, 1.0), ..self }
    }

    /// Under a veil of that opacity.
    pub fn faded(self, opacity: f64) -> Colour {
        self.with_opacity(self.opacity * opacity)
    }

    pub fn is_visible(self) -> bool {
        self.opacity > 0.0
    }

    /// `#rrggbb`, without the opacity.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)`, `rgba(…)`, `hsl(…)`, `hsla(…)` and the names that styles use, in any letter case.
    pub fn from_css(text: &str) -> Option<Colour> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(digits) = text.strip_prefix('#') {
            return from_hex(digits);
        }
        if let Some((name, inside)) = text.split_once('(') {
            if matches!(name, "hsl" | "hsla") {
                return from_hsl(inside.strip_suffix(')')?);
            }
            let numbers = inside.strip_suffix(')')?.split(',').map(|part| part.trim().parse::<f64>().ok()).collect::<Option<Vec<f64>>>()?;
            return match (name, numbers.as_slice()) {
                ("rgb", [red, green, blue]) => Some(Colour::rgb(channel(*red), channel(*green), channel(*blue))),
                ("rgba", [red, green, blue, opacity]) => {
                    Some(Colour::rgb(channel(*red), channel(*green), channel(*blue)).with_opacity(*opacity))
                }
                _ => None,
            };
        }
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour)
    }

    /// `75,255,126,128` of QGIS, with or without what QGIS 3.34 and later write behind it.
    pub fn from_qgis(text: &str) -> Option<Colour> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if text.starts_with('#') {
            return Colour::from_css(text);
        }
        let number = |at: usize| parts.get(at)?.parse::<f64>().ok();
        let opacity = number(3).unwrap_or(255.0) / 255.0;
        Some(Colour::rgb(channel(number(0)?), channel(number(1)?), channel(number(2)?)).with_opacity(opacity))
    }

    /// Between two colours, at `share` of the way.
    pub fn between(self, other: Colour, share: f64) -> Colour {
        let mix = |a: u8, b: u8| channel(f64::from(a) + (f64::from(b) - f64::from(a)) * share);
        Colour {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
            opacity: self.opacity + (other.opacity - self.opacity) * share,
        }
    }

    /// As WCAG 2.1 computes it: 0 black, 1 white.
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// WCAG 2.1 contrast, 1 to 21.
    pub fn contrast(self, other: Colour) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

fn channel(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

fn from_hex(digits: &str) -> Option<Colour> {
    if !digits.is_ascii() {
        return None;
    }
    let wide: String = match digits.len() {
        3 | 4 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 | 8 => digits.to_owned(),
        _ => return None,
    };
    let byte = |at: usize| u8::from_str_radix(wide.get(at..at + 2)?, 16).ok();
    let opacity = if wide.len() == 8 { f64::from(byte(6)?) / 255.0 } else { 1.0 };
    Some(Colour::rgb(byte(0)?, byte(2)?, byte(4)?).with_opacity(opacity))
}

/// Hue in degrees, saturation and lightness in per cent, opacity.
fn from_hsl(inside: &str) -> Option<Colour> {
    let part = |text: &str| text.trim().trim_end_matches('%').trim_end_matches("deg").parse::<f64>().ok();
    let parts = inside.split(',').map(part).collect::<Option<Vec<f64>>>()?;
    let ([hue, saturation, lightness] | [hue, saturation, lightness, _]) = parts[..] else { return None };
    let (saturation, lightness) = (saturation.clamp(0.0, 100.0) / 100.0, lightness.clamp(0.0, 100.0) / 100.0);
    let chroma = saturation * lightness.min(1.0 - lightness);
    // CSS Color 4 §7.1.
    let at = |offset: f64| {
        let k = (offset + hue / 30.0).rem_euclid(12.0);
        channel((lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) * 255.0)
    };
    Some(Colour::rgb(at(0.0), at(8.0), at(4.0)).with_opacity(parts.get(3).copied().unwrap_or(1.0)))
}

/// The sixteen names of HTML 4, orange and nothing at all.
const NAMES: [(&str, Colour); 19] = [
    ("black", Colour::BLACK),
    ("white", Colour::WHITE),
    ("silver", Colour::rgb(192, 192, 192)),
    ("gray", Colour::rgb(128, 128, 128)),
    ("grey", Colour::rgb(128, 128, 128)),
    ("maroon", Colour::rgb(128, 0, 0)),
    ("red", Colour::rgb(255, 0, 0)),
    ("purple", Colour::rgb(128, 0, 128)),
    ("fuchsia", Colour::rgb(255, 0, 255)),
    ("green", Colour::rgb(0, 128, 0)),
    ("lime", Colour::rgb(0, 255, 0)),
    ("olive", Colour::rgb(128, 128, 0)),
    ("yellow", Colour::rgb(255, 255, 0)),
    ("navy", Colour::rgb(0, 0, 128)),
    ("blue", Colour::rgb(0, 0, 255)),
    ("teal", Colour::rgb(0, 128, 128)),
    ("aqua", Colour::rgb(0, 255, 255)),
    ("orange", Colour::rgb(255, 165, 0)),
    ("transparent", Colour { red: 0, green: 0, blue: 0, opacity: 0.0 }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_colour_is_read() {
        let half = Colour::rgb(75, 255, 126).with_opacity(128.0 / 255.0);
        assert_eq!(Colour::from_qgis("75,255,126,128"), Some(half));
        assert_eq!(Colour::from_qgis("75,255,126,128,rgb:0.294,1,0.494,0.502"), Some(half));
        assert_eq!(Colour::from_qgis("75,255,126"), Some(half.with_opacity(1.0)));
        assert_eq!(Colour::from_css("#4bff7e80"), Some(half));
        assert_eq!(Colour::from_css("#F00"), Colour::from_css("red"));
        assert_eq!(Colour::from_css("rgba(255, 0, 0, 0.5)"), Some(Colour::rgb(255, 0, 0).with_opacity(0.5)));
        assert_eq!(Colour::from_css("hsl(120, 100%, 25%)"), Colour::from_css("green"));
        assert_eq!(Colour::from_css("hsla(240, 100%, 50%, 0.5)"), Some(Colour::rgb(0, 0, 255).with_opacity(0.5)));
        assert_eq!(half.hex(), "#4bff7e");
    }

    #[test]
    fn what_is_no_colour_is_none() {
        for text in ["", "#", "#12", "#gggggg", "#ééé", "rgb(1,2)", "rgb(1,2,3", "hsl(1,2)", "vermillon"] {
            assert_eq!(Colour::from_css(text), None, "{text}");
        }
        for text in ["", "1,2", "a,b,c"] {
            assert_eq!(Colour::from_qgis(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::rgb(119, 119, 119).contrast(Colour::WHITE) - 4.48).abs() < 0.01);
    }
}
