//! What the driver failed at or said while it read, and curves that became lines.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct ReaderSaid;

impl Check for ReaderSaid {
    fn code(&self) -> &'static str {
        "reader-said"
    }

    fn explanation(&self) -> &'static str {
        "Le logiciel de lecture laisse parfois des remarques : une structure inhabituelle, une information ignorée, des arcs de \
         cercle transformés en suites de petits segments. Les données sont publiées, mais la cause d'un détail surprenant se \
         trouve souvent ici. Quand la lecture a échoué en un endroit, quelque chose manque sans doute et la couche attend votre \
         réponse. Lisez les messages et exportez le fichier de nouveau ; si rien ne manque, écrivez reader-said dans la liste \
         ignore sous [checks]."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

/// Messages shown: a damaged file can say thousands of times the same.
const MESSAGES_MAX: usize = 3;

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let mut parts: Vec<String> =
        outcome.failures.iter().take(MESSAGES_MAX).map(|failure| format!("la lecture a échoué en un endroit : {failure}")).collect();
    if outcome.linearised > 0 {
        let count = outcome.linearised;
        parts.push(format!(
            "{} {} en petits segments",
            counted(count, "courbe", "courbes"),
            agree(count, "a été transformée", "ont été transformées")
        ));
    }
    parts.extend(outcome.messages.iter().take(MESSAGES_MAX).map(|message| format!("la lecture signale : {message}")));
    if parts.is_empty() {
        return None;
    }
    let count = (outcome.failures.len() + outcome.messages.len()) as u64 + outcome.linearised;
    if outcome.failures.is_empty() {
        return Some(finding("reader-said", Severity::Notice, count, parts.join(" ; ")));
    }
    let remedies = vec!["[checks]\nignore = [\"reader-said\"]".to_owned()];
    let message = format!("{} ; exportez le fichier de nouveau, ou confirmez que rien ne manque", parts.join(" ; "));
    Some(Finding { remedies, ..finding("reader-said", context.question("reader-said"), count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    #[test]
    fn messages_and_curves_are_passed_on() {
        let source = trial::table(&[]);
        let outcome = Outcome { linearised: 2, messages: vec!["a".into(); 9], ..Outcome::default() };
        let found = judge(&trial::context(&source), &outcome).expect("a finding");
        assert!(found.message.starts_with("2 courbes ont été transformées"), "{}", found.message);
        assert_eq!(found.message.matches("signale").count(), MESSAGES_MAX);
    }

    #[test]
    fn a_failure_waits_for_the_officer() {
        let source = trial::table(&[]);
        let mut context = trial::context(&source);
        let outcome = Outcome { failures: vec!["fread failed".into()], ..Outcome::default() };
        assert_eq!(judge(&context, &outcome).map(|found| found.severity), Some(Severity::Question));
        let ignored = ["reader-said".to_owned()];
        context.ignored = &ignored;
        assert_eq!(judge(&context, &outcome).map(|found| found.severity), Some(Severity::Warning));
    }

    #[test]
    fn a_silent_reading_says_nothing() {
        let source = trial::table(&[]);
        assert_eq!(judge(&trial::context(&source), &Outcome::default()), None);
    }
}
