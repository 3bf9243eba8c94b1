//! Texts compared without regard to letter case and accents, and patterns.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text that every spelling in other letter case has too: upper case, then lower case sign by sign, so that `Straße`
/// is `STRASSE` and a final sigma is a sigma.
pub fn casei(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.to_uppercase().chars().flat_map(char::to_lowercase).collect()
}

/// The marks that make another sound of a Japanese syllable: no accents (`/rec/accent-insensitive-comparison`).
const VOICING: [char; 2] = ['\u{3099}', '\u{309A}'];

/// The text without accents; the French ligatures are two letters, as who cannot type them writes them.
pub fn accenti(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for sign in text.nfd().filter(|sign| !is_combining_mark(*sign) || VOICING.contains(sign)) {
        match sign {
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("OE"),
            'æ' => plain.push_str("ae"),
            'Æ' => plain.push_str("AE"),
            sign => plain.push(sign),
        }
    }
    plain.nfc().collect()
}

/// Whether the pattern matches the whole text: `%` any signs, `_` one sign, `\` the next sign itself
/// (`/req/advanced-comparison-operators/like-predicate`). Time grows with the product of the lengths at worst.
pub fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = parts(pattern);
    let (mut at, mut part) = (0, 0);
    // Where the last `%` stands, and how far it has reached.
    let mut wild: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(part) {
            Some(Part::Any) => {
                wild = Some((part, at));
                part += 1;
            }
            Some(Part::One) => (at, part) = (at + 1, part + 1),
            Some(Part::Sign(sign)) if *sign == text[at] => (at, part) = (at + 1, part + 1),
            _ => match wild {
                Some((percent, reached)) => {
                    wild = Some((percent, reached + 1));
                    (at, part) = (reached + 1, percent + 1);
                }
                None => return false,
            },
        }
    }
    pattern[part..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    Any,
    One,
    Sign(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut signs = pattern.chars();
    let mut parts = Vec::new();
    while let Some(sign) = signs.next() {
        parts.push(match sign {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Sign(signs.next().unwrap_or('\\')),
            sign => Part::Sign(sign),
        });
    }
    parts
}

/// What every text that matches begins with, before the first wildcard.
pub fn literal_start(pattern: &str) -> String {
    parts(pattern).iter().map_while(|part| if let Part::Sign(sign) = part { Some(*sign) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_fold() {
        assert_eq!(casei("BÉDÉE"), casei("bédée"));
        assert_eq!(casei("Straße"), casei("STRASSE"));
        assert_eq!(casei("ΟΔΟΣ"), casei("Οδος"));
        assert_eq!(accenti("Bédée, Île-aux-Moines, Çà, cœur"), "Bedee, Ile-aux-Moines, Ca, coeur");
        assert_eq!(accenti("e\u{301}"), "e");
        assert_eq!(accenti("はじめ"), "はじめ");
        assert_eq!(accenti(&casei("BÉDÉE")), "bedee");
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (text, pattern, expected) in [
            ("Berlin", "B_r%", true),
            ("Brest", "B_r%", false),
            ("", "%", true),
            ("", "", true),
            ("a", "", false),
            ("", "_", false),
            ("É", "_", true),
            ("100 %", "100 \\%", true),
            ("100 x", "100 \\%", false),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("a\\b", "a\\\\b", true),
            ("rue du bourg", "%du%", true),
            ("aaaaaaaaab", "%a%a%b", true),
            ("abcabd", "%abd", true),
            ("Nom", "nom", false),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} {pattern}");
        }
        assert_eq!(literal_start("rue\\_%x"), "rue_");
    }
}
