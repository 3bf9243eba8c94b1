//! Pictures packed into one, and the list of where each lies.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use tiny_skia::Pixmap;

use crate::portrayal::sprite::Image;
use crate::portrayal::sprite::draw;

/// A sheet as wide as this grows downwards; old telephones take textures of 4096 pixels.
const WIDTH_PX: u32 = 1024;

/// Pixels between pictures, so that smoothing takes nothing from the neighbour.
const GAP_PX: u32 = 1;

/// Pixels of all pictures together, which a browser keeps in memory: a thousand symbols of a hundred pixels. Pictures
/// beyond are left out, and the map shows nothing for them.
const AREA_PX_MAX: u64 = 10_000_000;

/// `sprite.png` and `sprite.json`, or with `@2x` in their names.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub png: Vec<u8>,
    pub index: Value,
}

/// Draws every picture at `ratio` pixels to one of the style, in shelves from the tallest to the lowest.
pub fn sheet(images: &[Image], ratio: u32) -> Sheet {
    let mut area = 0;
    let mut drawn: Vec<(&str, Pixmap)> = Vec::new();
    for image in images {
        let pixmap = draw(&image.picture, f64::from(ratio));
        area += u64::from(pixmap.width()) * u64::from(pixmap.height());
        if area > AREA_PX_MAX {
            break;
        }
        drawn.push((&image.name, pixmap));
    }
    drawn.sort_by(|(a, left), (b, right)| right.height().cmp(&left.height()).then(a.cmp(b)));
    let (mut x, mut y, mut shelf, mut width) = (0, 0, 0, 1);
    let mut places = Vec::new();
    for (_, pixmap) in &drawn {
        if x > 0 && x + pixmap.width() > WIDTH_PX {
            (x, y, shelf) = (0, y + shelf + GAP_PX, 0);
        }
        places.push((x, y));
        shelf = shelf.max(pixmap.height());
        width = width.max(x + pixmap.width());
        x += pixmap.width() + GAP_PX;
    }
    let (width, height) = (width, (y + shelf).max(1));
    let mut pixels = vec![0; width as usize * height as usize * 4];
    let mut index = Map::new();
    for ((name, pixmap), (x, y)) in drawn.iter().zip(places) {
        copy(pixmap, &mut pixels, (width, x, y));
        let place = json!({ "x": x, "y": y, "width": pixmap.width(), "height": pixmap.height(), "pixelRatio": ratio });
        index.insert((*name).to_owned(), place);
    }
    Sheet { png: png(&pixels, width, height), index: Value::Object(index) }
}

/// Colours as PNG has them: not yet multiplied by their opacity.
fn copy(pixmap: &Pixmap, pixels: &mut [u8], (width, x, y): (u32, u32, u32)) {
    for (at, pixel) in pixmap.pixels().iter().enumerate() {
        let (column, row) = (at as u32 % pixmap.width(), at as u32 / pixmap.width());
        let start = ((y + row) as usize * width as usize + (x + column) as usize) * 4;
        let plain = pixel.demultiply();
        pixels[start..start + 4].copy_from_slice(&[plain.red(), plain.green(), plain.blue(), plain.alpha()]);
    }
}

fn png(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("a buffer of the announced size, written to memory");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrayal::colour::Colour;
    use crate::portrayal::scale::Length;
    use crate::portrayal::sprite::Picture;
    use crate::portrayal::symbol::Marker;

    fn images(count: u32) -> Vec<Image> {
        let image = |at: u32| Image {
            name: format!("arbres-{at}"),
            picture: Picture::Marker(Marker::circle(Length::Pixels(f64::from(at % 40 + 4)), Colour::rgb(47, 125, 79))),
        };
        (0..count).map(image).collect()
    }

    #[test]
    fn no_picture_lies_on_another_and_each_is_found() {
        let sheet = sheet(&images(200), 2);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&sheet.png)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a frame");
        let mut taken = vec![false; (info.width * info.height) as usize];
        for (name, place) in sheet.index.as_object().expect("an object") {
            let part = |key: &str| place[key].as_u64().expect("a number") as u32;
            for row in part("y")..part("y") + part("height") {
                for column in part("x")..part("x") + part("width") {
                    let at = (row * info.width + column) as usize;
                    assert!(!std::mem::replace(&mut taken[at], true), "{name}");
                }
            }
            let middle = ((part("y") + part("height") / 2) * info.width + part("x") + part("width") / 2) as usize * 4;
            assert_eq!(pixels[middle..middle + 4], [47, 125, 79, 255], "{name}");
        }
        assert_eq!(sheet.index.as_object().map(Map::len), Some(200));
    }

    #[test]
    fn a_sheet_has_an_end() {
        let huge = Image { name: "x".to_owned(), picture: Picture::Marker(Marker::circle(Length::Pixels(250.0), Colour::BLACK)) };
        let images: Vec<Image> = (0..400).map(|at| Image { name: format!("x-{at}"), ..huge.clone() }).collect();
        assert!(sheet(&images, 2).index.as_object().is_some_and(|index| (30..50).contains(&index.len())));
    }

    #[test]
    fn a_sheet_without_pictures_is_a_picture() {
        assert!(png::Decoder::new(std::io::Cursor::new(sheet(&[], 1).png)).read_info().is_ok());
    }
}
