//! What could not be carried over from a style, in the officer's language.

/// Sentences of one style: a report that is longer is not read.
pub const SENTENCES_MAX: usize = 100;

/// In the order found, each once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Losses {
    sentences: Vec<String>,
    left_out: usize,
}

impl Losses {
    /// A sentence without its full stop, which names the thing.
    pub fn note(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if self.sentences.contains(&sentence) {
            return;
        }
        if self.sentences.len() < SENTENCES_MAX { self.sentences.push(sentence) } else { self.left_out += 1 }
    }

    pub fn extend(&mut self, other: &Losses) {
        other.sentences.iter().for_each(|sentence| self.note(sentence));
        self.left_out += other.left_out;
    }

    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// For the report.
    pub fn sentences(&self) -> Vec<String> {
        let more = (self.left_out > 0).then(|| format!("et {} autres pertes", self.left_out));
        self.sentences.iter().cloned().chain(more).collect()
    }
}

/// A name for a sentence: short, on one line.
pub fn shown(name: &str) -> String {
    const SIGNS_MAX: usize = 80;
    let line: String = name.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(SIGNS_MAX).collect();
    if name.chars().count() > SIGNS_MAX { format!("{line}…") } else { line }
}

/// What a sentence is about.
pub fn rule(title: &str) -> String {
    if title.is_empty() { "le symbole".to_owned() } else { format!("règle « {} »", shown(title)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_is_said_once_and_not_without_end() {
        let mut losses = Losses::default();
        (0..SENTENCES_MAX + 5).for_each(|at| losses.note(format!("perte {at}")));
        losses.note("perte 0");
        assert_eq!(losses.sentences().len(), SENTENCES_MAX + 1);
        assert_eq!(losses.sentences().last().map(String::as_str), Some("et 5 autres pertes"));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shown("a\nb"), "a b");
        assert_eq!(shown(&"é".repeat(100)).chars().count(), 81);
    }
}
