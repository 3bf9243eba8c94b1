//! The open font that labels are written in: Noto Sans (SIL OFL 1.1) in four faces, part of the program.

mod glyph;
pub mod range;

use skrifa::FontRef;

/// As styles name it, with the face behind.
pub const FAMILY: &str = "Noto Sans";

/// A face under the name that font stacks write.
pub struct Face {
    pub name: &'static str,
    data: &'static [u8],
}

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $file))
    };
}

pub const FACES: [Face; 4] = [
    Face { name: "Noto Sans Regular", data: embedded!("NotoSans_400Regular.ttf") },
    Face { name: "Noto Sans Bold", data: embedded!("NotoSans_700Bold.ttf") },
    Face { name: "Noto Sans Italic", data: embedded!("NotoSans_400Regular_Italic.ttf") },
    Face { name: "Noto Sans Bold Italic", data: embedded!("NotoSans_700Bold_Italic.ttf") },
];

impl Face {
    /// The first face that a stack (`Roboto Regular,Noto Sans Regular`) names and that is here. All faces hold the same signs, so
    /// there is nothing to take from a second one.
    pub fn of_stack(stack: &str) -> Option<&'static Face> {
        stack.split(',').find_map(|name| FACES.iter().find(|face| face.name == name.trim()))
    }

    fn font(&self) -> FontRef<'static> {
        FontRef::new(self.data).expect("the fonts are part of the program, and a test reads each")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_are_of_the_family_that_styles_name() {
        assert!(FACES.iter().all(|face| face.name.starts_with(FAMILY)));
    }

    #[test]
    fn a_stack_is_answered_by_its_first_known_face() {
        let named = |stack: &str| Face::of_stack(stack).map(|face| face.name);
        assert_eq!(named("Noto Sans Bold"), Some("Noto Sans Bold"));
        assert_eq!(named("Open Sans Bold, Noto Sans Italic,Noto Sans Bold"), Some("Noto Sans Italic"));
        for unknown in ["", "Noto Sans", "noto sans bold", "Open Sans Bold", ","] {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }
}
