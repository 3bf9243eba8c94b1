//! How far a layer is, on a terminal only.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread::ThreadId;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// A line on standard error that is gone when the work is done; nothing where standard error is no terminal.
pub struct Line {
    bar: ProgressBar,
    /// The last word of each thread, which has one layer at a time.
    said: Mutex<Vec<(ThreadId, String)>>,
}

impl Line {
    pub fn new() -> Line {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Line { bar, said: Mutex::default() }
    }

    pub fn tell(&self, layer: &str, step: &str, rows: u64) {
        let rows = if rows > 0 { format!(", {} objets", crate::publish::report::grouped(rows)) } else { String::new() };
        let words = format!("{layer} : {step}{rows}");
        let thread = std::thread::current().id();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.iter_mut().find(|(known, _)| *known == thread) {
            Some(known) => known.1 = words,
            None => said.push((thread, words)),
        }
        let words: Vec<&str> = said.iter().map(|(_, words)| words.as_str()).collect();
        self.bar.set_message(words.join(" · "));
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
