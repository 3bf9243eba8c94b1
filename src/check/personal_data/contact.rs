//! Telephone numbers and e-mail addresses inside a text.

use crate::check::personal_data::column_name::plain;
use crate::check::personal_data::given_name;

/// Whether a French number stands in the text, by itself or among words: `02 61 91 01 61`, `+33 6 39 98 75 17`, `0639987517`.
///
/// Numbers in 08 are services, never persons. A number inside a longer run of digits, letters, points or hyphens is a
/// code, a coordinate or a UUID.
pub fn has_telephone(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| {
        let starts = matches!(bytes[at], b'0' | b'+') && !joins(&bytes[..at]);
        starts && telephone_end(&bytes[at..]).is_some_and(|length| ends_cleanly(&bytes[at + length..]))
    })
}

/// Whether the text before a number is joined to it: a word, a code, or the whole part of a decimal with comma.
fn joins(before: &[u8]) -> bool {
    match before {
        [.., digit, b','] => digit.is_ascii_digit(),
        [.., sign] => sign.is_ascii_alphanumeric() || matches!(sign, b'.' | b'-' | b'_' | b'+' | b'@' | b'/'),
        [] => false,
    }
}

/// The number is over: a point or a hyphen may follow as punctuation, not as the middle of a longer number.
fn ends_cleanly(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [sign, ..] if sign.is_ascii_alphanumeric() || *sign == b'@' || *sign == b'_' => false,
        [b'.' | b'-', next, ..] => !next.is_ascii_digit(),
        _ => true,
    }
}

/// Length of the separator at the start: one space, point, hyphen, slash or no-break space, or none.
fn separator(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'.' | b'-' | b'/', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0xAF, ..] => 3,
        _ => 0,
    }
}

fn telephone_end(bytes: &[u8]) -> Option<usize> {
    let mut at = if bytes.starts_with(b"+33") {
        3
    } else if bytes.starts_with(b"0033") {
        4
    } else {
        0
    };
    if at > 0 {
        at += separator(&bytes[at..]);
        if bytes[at..].starts_with(b"(0)") {
            at += 3;
            at += separator(&bytes[at..]);
        }
    } else if bytes.first() == Some(&b'0') {
        at = 1;
    } else {
        return None;
    }
    if !matches!(bytes.get(at)?, b'1'..=b'7' | b'9') {
        return None;
    }
    at += 1;
    // One separator for all pairs: codes such as `02-4102 9199` mix them, people do not.
    let between = separator(&bytes[at..]);
    let sign = &bytes[at..at + between];
    for _ in 0..4 {
        if bytes.get(at..at + between)? != sign {
            return None;
        }
        at += between;
        if !bytes.get(at..at + 2)?.iter().all(u8::is_ascii_digit) {
            return None;
        }
        at += 2;
    }
    Some(at)
}

/// Mail providers of private persons in France, and the domains that RFC 2606 keeps for examples, where trial data has its persons.
const PRIVATE_DOMAINS: [&str; 30] = [
    "gmail.com",
    "googlemail.com",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "neuf.fr",
    "laposte.net",
    "yahoo.fr",
    "yahoo.com",
    "hotmail.fr",
    "hotmail.com",
    "outlook.fr",
    "outlook.com",
    "live.fr",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "bbox.fr",
    "numericable.fr",
    "aol.com",
    "club-internet.fr",
    "protonmail.com",
    "proton.me",
    "gmx.fr",
    "cegetel.net",
    "example.org",
    "example.com",
    "example.net",
];

/// Words of addresses that name a desk, not a person.
const FUNCTIONS: [&str; 48] = [
    "mairie",
    "contact",
    "accueil",
    "sig",
    "info",
    "infos",
    "commune",
    "ville",
    "service",
    "services",
    "secretariat",
    "urbanisme",
    "direction",
    "technique",
    "techniques",
    "office",
    "tourisme",
    "ecole",
    "college",
    "lycee",
    "bibliotheque",
    "mediatheque",
    "ccas",
    "eau",
    "dechets",
    "dechetterie",
    "dpo",
    "rgpd",
    "webmaster",
    "admin",
    "administration",
    "support",
    "noreply",
    "reply",
    "presse",
    "communication",
    "data",
    "opendata",
    "donnees",
    "asso",
    "association",
    "club",
    "culture",
    "sport",
    "sports",
    "education",
    "enfance",
    "marches",
];

/// Whether an e-mail address of a person stands in the text: at a private provider, or `prenom.nom@` anywhere.
pub fn has_personal_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let inside = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
        let local_length: usize = text[..at].chars().rev().take_while(inside).map(char::len_utf8).sum();
        let local = text[at - local_length..at].trim_start_matches(['.', '-']);
        let domain: String = text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).collect();
        let domain = domain.trim_end_matches(['.', '-']).to_lowercase();
        !local.is_empty() && domain.contains('.') && is_person(local, &domain)
    })
}

fn is_person(local: &str, domain: &str) -> bool {
    if PRIVATE_DOMAINS.contains(&domain) {
        return true;
    }
    let local = plain(local);
    let words: Vec<&str> = local.split('_').collect();
    if words.iter().any(|word| FUNCTIONS.contains(word)) {
        return false;
    }
    let letters = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [only] => given_name::is_given_name(only),
        [_, .., last] => words.iter().all(letters) && last.len() > 1,
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_found_in_every_usual_spelling() {
        for text in [
            "02 61 91 01 61",
            "0639987517",
            "06.39.98.75.17",
            "06-39-98-75-17",
            "+33 6 39 98 75 17",
            "+33639987517",
            "0033 639987517",
            "+33 (0)2 61 91 01 61",
            "06\u{a0}39\u{a0}98\u{a0}75\u{a0}17",
            "Prendre RDV avec M. Le Goff 06 39 98 61 57",
            "tél:0261910161.",
            "06/39/98/75/17",
            "0261910161,0639987517",
        ] {
            assert!(has_telephone(text), "{text}");
        }
    }

    #[test]
    fn codes_coordinates_and_service_numbers_are_no_telephone_numbers() {
        for text in [
            "45164849700019",
            "0.1234567890",
            "1.0612345678",
            "idh_4f6b8269-5a02-4102-9199-b05d7c70f4ec",
            "35023_1000_00004",
            "48,0612345678",
            "0800 123 456",
            "08 00 12 34 56",
            "2026-06-12 10:11:12",
            "061234567",
            "06123456789",
            "02 61 91 01",
            "x0612345678",
            "35 0612345678.5",
            "",
        ] {
            assert!(!has_telephone(text), "{text}");
        }
    }

    #[test]
    fn addresses_of_persons_are_found() {
        for text in
            ["nolwenn.morvan@example.org", "voir fille (maëlle@example.org)", "x75@gmail.com", "jeanne.le-goff@bedee.fr", "yann@ville.fr"]
        {
            assert!(has_personal_email(text), "{text}");
        }
    }

    #[test]
    fn addresses_of_desks_are_no_persons() {
        for text in
            ["mairie@bedee.fr", "contact@societe-amenageur.com", "service.eau@montfort.fr", "piscine@ville.fr", "@ville", "a@b", "@", "é@"]
        {
            assert!(!has_personal_email(text), "{text}");
        }
    }
}
