//! Bytes of a document as text: the byte order mark, else what the declaration says, else UTF-8 (XML 1.0 appendix F).

use std::borrow::Cow;

use encoding_rs::Encoding;
use encoding_rs::UTF_8;

use crate::xml::XmlError;

/// Bytes in which the declaration ends, if there is one.
const DECLARATION_BYTES_MAX: usize = 200;

pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => match declared(bytes) {
            Some(name) => Encoding::for_label(name.as_bytes()).ok_or(XmlError::Encoding { name })?,
            None => UTF_8,
        },
    };
    let (text, _, is_broken) = encoding.decode(bytes);
    if is_broken { Err(XmlError::Encoding { name: encoding.name().to_owned() }) } else { Ok(text) }
}

fn declared(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES_MAX)]);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start().to_owned();
    let quote = value.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_says_the_encoding() {
        assert_eq!(decode(b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><a>\xe9</a>").map(|text| text.ends_with("<a>é</a>")), Ok(true));
        assert_eq!(decode("\u{feff}<a>é</a>".as_bytes()).as_deref(), Ok("<a>é</a>"));
        let utf_16: Vec<u8> = "\u{feff}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf_16).as_deref(), Ok("<a/>"));
    }

    #[test]
    fn what_is_no_text_of_its_encoding_is_refused() {
        assert_eq!(decode(b"<a>\xe9</a>"), Err(XmlError::Encoding { name: "UTF-8".into() }));
        assert_eq!(decode(b"<?xml version='1.0' encoding='klingon'?><a/>"), Err(XmlError::Encoding { name: "klingon".into() }));
    }
}
