//! Query parameters, strictly: an unknown one, a repeated one, a wrong value is 400 (`/req/core/query-param-unknown`,
//! `/req/core/query-param-invalid`).

use crate::http::fault::Fault;

pub struct Params {
    pairs: Vec<(String, String)>,
}

/// Parameters of one request: every field of a wide layer, and some.
const PARAMETERS_MAX: usize = 200;

impl Params {
    /// # Errors
    /// `InvalidParameter` for a parameter given twice.
    pub fn parse(query: Option<&str>) -> Result<Params, Fault> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Fault::parameter(&name, &value, "expected once"));
            }
            if pairs.len() == PARAMETERS_MAX {
                return Err(Fault::parameter(&name, &value, format!("expected at most {PARAMETERS_MAX} parameters")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Params { pairs })
    }

    /// As [`Params::number`], but what is above `most`, be it of a hundred digits, is `most`.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn lowered(&mut self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Fault> {
        let is_huge =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.trim_start_matches('0').len() > most.to_string().len();
        if self.pairs.iter().any(|(known, text)| known == name && is_huge(text)) {
            return Ok(self.take(name).map(|_| most));
        }
        Ok(self.number(name, least, u64::MAX)?.map(|number| number.min(most)))
    }

    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.remove(at).1)
    }

    /// A whole number from `least` to `most`.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn number(&mut self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Fault> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) && is_digits => Ok(Some(number)),
            _ => Err(Fault::parameter(name, &text, format!("expected a whole number from {least} to {most}"))),
        }
    }

    /// What nobody took.
    pub fn rest(self) -> Vec<(String, String)> {
        self.pairs
    }

    /// # Errors
    /// `InvalidParameter` where a parameter is left that nobody took.
    pub fn finish(self, known: &[&str]) -> Result<(), Fault> {
        match self.pairs.into_iter().next() {
            None => Ok(()),
            Some((name, value)) => Err(unknown(&name, &value, known)),
        }
    }
}

/// The refusal of a parameter that means nothing here, with those that do.
pub fn unknown(name: &str, value: &str, known: &[&str]) -> Fault {
    let shown: String = name.chars().take(40).collect();
    Fault::parameter(&shown, value, format!("unknown parameter, expected one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_taken_once() {
        let mut params = Params::parse(Some("bbox=1%2C2%2C3%2C4&nom=B%C3%A9d%C3%A9e")).unwrap_or_else(|_| panic!("parsed"));
        assert_eq!(params.take("bbox").as_deref(), Some("1,2,3,4"));
        assert_eq!(params.take("bbox"), None);
        assert_eq!(params.rest(), [("nom".to_owned(), "Bédée".to_owned())]);
    }

    #[test]
    fn repeated_unknown_and_misshapen_parameters_are_refused() {
        assert!(Params::parse(Some("limit=1&limit=2")).is_err());
        for text in ["limit=0", "limit=-1", "limit=unlimited", "limit=", "limit=1.5", "limit=+5"] {
            assert!(Params::parse(Some(text)).and_then(|mut params| params.lowered("limit", 1, 10)).is_err(), "{text}");
        }
        assert!(Params::parse(Some("offset=11")).and_then(|mut params| params.number("offset", 0, 10)).is_err());
        let large = Params::parse(Some("limit=99999999999999999999")).and_then(|mut params| params.lowered("limit", 1, 10));
        assert_eq!(large.ok().flatten(), Some(10));
        assert!(Params::parse(Some("a=1")).and_then(|params| params.finish(&["f"])).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut seed = 7u32;
        for _ in 0..2_000 {
            let text: String = (0..30)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from_u32((seed >> 16) % 0x180).unwrap_or('%')
                })
                .collect();
            if let Ok(mut params) = Params::parse(Some(&text)) {
                let _ = params.lowered("limit", 1, 10);
                let _ = params.finish(&[]);
            }
        }
    }
}
