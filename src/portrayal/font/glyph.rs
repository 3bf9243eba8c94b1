//! One sign as a web map draws it: a signed distance field of its outline.
//!
//! ```text
//!        left                     The field has BUFFER pixels more on each side than `width` x `height`.
//!      ├──┤ width                 `top` is counted from a line ASCENT pixels above the baseline, and is negative
//!   ───────────────── line        below it.
//!         ┌─────┐    │ -top
//!         │  É  │ height
//!   ──────└─────┘──── baseline
//!      ├─────────────┤ advance
//! ```

use sdf_glyph_renderer::BitmapGlyph;
use sdf_glyph_renderer::clamp_to_u8;
use skrifa::FontRef;
use skrifa::MetadataProvider;
use skrifa::instance::LocationRef;
use skrifa::instance::Size;
use skrifa::outline::DrawSettings;
use skrifa::outline::OutlinePen;
use tiny_skia::FillRule;
use tiny_skia::Mask;
use tiny_skia::Path;
use tiny_skia::PathBuilder;
use tiny_skia::Transform;

/// Pixels an em has. MapLibre scales every text from it.
const EM_PX: f32 = 24.0;

/// Pixels around the sign in its field. Part of the format: MapLibre adds them without asking.
const BUFFER: usize = 3;

/// How far from the outline the field tells distances. As node-fontnik makes them, whose fields halos are tuned to.
const RADIUS_PX: usize = 8;

/// The part of a byte's values that lie inside. Part of the format: the shader takes 191 for the outline.
const INSIDE: f64 = 0.25;

/// The font's own ascender (1.069 em) in pixels. It puts capitals in the middle of the line that MapLibre lays out.
const ASCENT_PX: i32 = 26;

pub struct Glyph {
    pub code: u32,
    /// Without the buffer, pixels; both 0 for a space.
    pub width: u32,
    pub height: u32,
    pub left: i32,
    pub top: i32,
    pub advance: u32,
    /// Row by row from the top, with the buffer; empty for a space.
    pub field: Vec<u8>,
}

impl Glyph {
    /// `None`: the font has no such sign.
    pub fn of(font: &FontRef<'_>, code: u32) -> Option<Glyph> {
        let glyph_id = font.charmap().map(code)?;
        let size = Size::new(EM_PX);
        let advance = font.glyph_metrics(size, LocationRef::default()).advance_width(glyph_id)?;
        let empty =
            Glyph { code, width: 0, height: 0, left: 0, top: -ASCENT_PX, advance: advance.round().max(0.0) as u32, field: Vec::new() };
        let mut pen = Pen(PathBuilder::new());
        font.outline_glyphs().get(glyph_id)?.draw(DrawSettings::unhinted(size, LocationRef::default()), &mut pen).ok()?;
        let Some(path) = pen.0.finish() else { return Some(empty) };
        let bounds = path.bounds();
        let (left, above) = (bounds.left().floor(), bounds.top().floor());
        let (width, height) = ((bounds.right().ceil() - left) as u32, (bounds.bottom().ceil() - above) as u32);
        let Some(field) = field(&path, (left, above), (width, height)) else { return Some(empty) };
        Some(Glyph { width, height, left: left as i32, top: -above as i32 - ASCENT_PX, field, ..empty })
    }
}

/// `None` for an outline without an area.
fn field(path: &Path, (left, above): (f32, f32), (width, height): (u32, u32)) -> Option<Vec<u8>> {
    let mut mask = Mask::new(width, height)?;
    mask.fill_path(path, FillRule::Winding, true, Transform::from_translate(-left, -above));
    let bitmap = BitmapGlyph::from_unbuffered(mask.data(), width as usize, height as usize, BUFFER).ok()?;
    clamp_to_u8(&bitmap.render_sdf(RADIUS_PX), INSIDE).ok()
}

/// The font's y grows upwards, the picture's downwards.
struct Pen(PathBuilder);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, -y);
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        self.0.quad_to(cx0, -cy0, x, -y);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.0.cubic_to(cx0, -cy0, cx1, -cy1, x, -y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrayal::font::FACES;

    fn glyph(face: usize, sign: char) -> Glyph {
        Glyph::of(&FACES[face].font(), sign.into()).unwrap_or_else(|| panic!("{sign} is in every face"))
    }

    #[test]
    fn every_face_has_the_signs_of_french() {
        for face in 0..FACES.len() {
            for sign in "AZazàâæçéèêëîïôœùûüÿÀÆÇÉŒŸ«»’–—…€°0123456789".chars() {
                let glyph = glyph(face, sign);
                assert_eq!(glyph.field.len(), (glyph.width as usize + 6) * (glyph.height as usize + 6), "{sign}");
                assert!(glyph.field.iter().any(|value| *value > 191), "{sign} has an inside");
            }
        }
    }

    #[test]
    fn signs_have_the_measures_of_the_font() {
        let [wide, narrow] = ['M', 'i'].map(|sign| glyph(0, sign));
        // Of 1000 units: M advances 907, i 258; capitals are 714 high.
        assert_eq!((wide.advance, narrow.advance), (22, 6));
        assert_eq!((wide.height, wide.top), (18, 18 - 26));
        let (accented, plain) = (glyph(0, 'É'), glyph(0, 'E'));
        assert!(accented.height > plain.height && accented.top > plain.top);
        let below = glyph(0, 'p');
        assert!(below.top - (below.height as i32) < -26, "p hangs below the baseline");
        assert!(glyph(1, 'n').advance > glyph(0, 'n').advance, "bold is wider");
    }

    #[test]
    fn the_outline_lies_where_the_field_is_191() {
        let bar = glyph(0, '|');
        let row_width = bar.width as usize + 6;
        let row = &bar.field[(bar.height as usize / 2 + 3) * row_width..][..row_width];
        // A bar of 82 units is two pixels: its middle is a pixel inside, which is 255 / 8 above the outline.
        let highest = row.iter().max().copied().unwrap_or_default();
        assert!((200..=235).contains(&highest), "{row:?}");
        let outside = [row[0], row[row_width - 1]];
        assert!(outside.iter().all(|value| *value < 130), "{row:?}");
    }

    #[test]
    fn a_space_has_an_advance_and_no_picture() {
        let space = glyph(0, ' ');
        assert_eq!((space.width, space.height, space.field.len(), space.advance), (0, 0, 0, 6));
        assert!(Glyph::of(&FACES[0].font(), 0x4E2D).is_none(), "no Chinese");
        assert!(Glyph::of(&FACES[0].font(), 0xD800).is_none(), "no character at all");
    }
}
