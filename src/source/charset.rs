//! Which encoding text is in, by the evidence of all its bytes. What a file announces is a hint.

use crate::model::reading::EncodingEvidence;

/// The upper half of code page 850, which MS-DOS and old GIS wrote French in.
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Cp1252,
    Latin1,
    Cp850,
}

impl Charset {
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Cp1252 => "CP1252",
            Charset::Latin1 => "ISO-8859-1",
            Charset::Cp850 => "CP850",
        }
    }

    /// By any of its usual spellings (`1252`, `ANSI 1252`, `LATIN1`, `OEM 850`…).
    pub fn from_name(name: &str) -> Option<Charset> {
        let plain: String = name.to_uppercase().chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.as_str() {
            "UTF8" | "65001" | "CP65001" => Some(Charset::Utf8),
            "CP1252" | "1252" | "WINDOWS1252" | "ANSI1252" | "ANSI" => Some(Charset::Cp1252),
            "ISO88591" | "LATIN1" | "88591" | "L1" => Some(Charset::Latin1),
            "CP850" | "850" | "OEM850" | "IBM850" | "OEM" => Some(Charset::Cp850),
            _ => None,
        }
    }

    /// The text, and whether a sign was lost. A multi-byte sign cut at the end of a DBF field is dropped and counts as lost.
    pub fn decode(self, bytes: &[u8]) -> (String, bool) {
        match self {
            Charset::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => (text.to_owned(), false),
                Err(error) if error.error_len().is_none() => (String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned(), true),
                Err(_) => (String::from_utf8_lossy(bytes).into_owned(), true),
            },
            Charset::Cp1252 => {
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
                let lost = bytes.iter().any(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D));
                (text.into_owned(), lost)
            }
            Charset::Latin1 => (bytes.iter().map(|byte| char::from(*byte)).collect(), false),
            Charset::Cp850 => {
                let upper: Vec<char> = CP850.chars().collect();
                (bytes.iter().map(|byte| if *byte < 0x80 { char::from(*byte) } else { upper[usize::from(byte - 0x80)] }).collect(), false)
            }
        }
    }
}

/// Letters that French text has beyond ASCII.
const FRENCH: &str = "éèàçêîôûâëïùüœæÉÈÀÇÊÎÔÛÂËÏÙÜŒÆ°’«»€²³ñö–…";

/// One sign in so many that is wrong in UTF-8 is a field cut inside a letter, not another encoding.
const CUT_SIGNS: usize = 20;

/// Two readings are too close to choose between when the better has less than so many times the letters of the other.
const CLEAR_LEAD: usize = 2;

/// Samples for a person to judge, and the bytes that they are looked for in.
const SAMPLES: usize = 10;
const SAMPLE_BYTES: usize = 1 << 20;

/// Judges all the bytes of a file's text. `claimed`: what the file announces.
pub fn judge(bytes: &[u8], claimed: Option<&str>) -> (Charset, EncodingEvidence) {
    let claim = claimed.and_then(Charset::from_name);
    let (charset, doubt) = decide(bytes, claim);
    let samples = samples(&charset.decode(&bytes[..bytes.len().min(SAMPLE_BYTES)]).0);
    let evidence = EncodingEvidence { used: charset.name().to_owned(), claimed: claimed.map(str::to_owned), doubt, samples };
    (charset, evidence)
}

fn decide(bytes: &[u8], claim: Option<Charset>) -> (Charset, bool) {
    if bytes.is_ascii() {
        return (claim.unwrap_or(Charset::Utf8), false);
    }
    let (signs, broken) = utf8_signs(bytes);
    if signs > 0 && broken * CUT_SIGNS <= signs {
        return (Charset::Utf8, false);
    }
    let windows = letters(Charset::Cp1252, bytes);
    let dos = letters(Charset::Cp850, bytes);
    // 0x80 to 0x9F are control signs in ISO-8859-1 and letters or quotes in CP1252.
    let single = match claim {
        Some(Charset::Latin1) if !bytes.iter().any(|byte| (0x80..0xA0).contains(byte)) => Charset::Latin1,
        _ => Charset::Cp1252,
    };
    match claim {
        _ if windows >= dos.max(1) * CLEAR_LEAD => (single, false),
        _ if dos >= windows.max(1) * CLEAR_LEAD => (Charset::Cp850, false),
        Some(Charset::Cp850) => (Charset::Cp850, true),
        _ => (single, true),
    }
}

/// Signs of two bytes or more that are right, and places that are wrong.
fn utf8_signs(bytes: &[u8]) -> (usize, usize) {
    let (mut right, mut wrong) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        right += chunk.valid().chars().filter(|sign| !sign.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    (right, wrong)
}

fn letters(charset: Charset, bytes: &[u8]) -> usize {
    let upper: Vec<u8> = bytes.iter().copied().filter(|byte| *byte >= 0x80).collect();
    charset.decode(&upper).0.chars().filter(|sign| FRENCH.contains(*sign)).count()
}

fn samples(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|sign: char| !sign.is_alphanumeric() && sign != '-') {
        if !word.is_ascii() && word.chars().count() > 2 && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
            if found.len() == SAMPLES {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str, charset: Charset) -> Vec<u8> {
        match charset {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Cp850 => {
                text.chars()
                    .map(|sign| {
                        if sign.is_ascii() { sign as u8 } else { CP850.chars().position(|c| c == sign).expect("in the page") as u8 + 0x80 }
                    })
                    .collect()
            }
            _ => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        }
    }

    #[test]
    fn each_encoding_is_known_by_its_bytes_whatever_is_announced() {
        let text = "Bédée, Forêt de Brocéliande, où ça ? Hôtel à Pâques, être";
        for charset in [Charset::Utf8, Charset::Cp1252, Charset::Cp850] {
            for claimed in [None, Some("UTF-8"), Some("1252"), Some("OEM 850")] {
                let (found, evidence) = judge(&encode(text, charset), claimed);
                assert_eq!((found, evidence.doubt), (charset, false), "{claimed:?}");
                assert_eq!(found.decode(&encode(text, charset)), (text.to_owned(), false));
                assert!(evidence.samples.contains(&"Brocéliande".to_owned()));
            }
        }
    }

    #[test]
    fn latin_one_is_only_believed_without_windows_signs() {
        assert_eq!(judge(b"Ville d'Ev\xeaque", Some("ISO-8859-1")).0, Charset::Latin1);
        assert_eq!(judge(b"c\x9cur d'Ev\xeaque", Some("ISO-8859-1")).0, Charset::Cp1252);
    }

    #[test]
    fn a_letter_cut_at_the_end_of_a_field_is_lost_and_no_more() {
        assert_eq!(Charset::Utf8.decode(b"Montfort-l'\xc3"), ("Montfort-l'".to_owned(), true));
        let mut bytes = "é".repeat(50).into_bytes();
        bytes.push(0xC3);
        assert_eq!(judge(&bytes, None).0, Charset::Utf8);
    }

    #[test]
    fn the_page_has_its_128_signs() {
        assert_eq!(CP850.chars().count(), 128);
    }
}
