//! How far a layer is, on a terminal only.

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// A line on standard error that is gone when the work is done; nothing where standard error is no terminal.
pub struct Line(ProgressBar);

impl Line {
    pub fn new() -> Line {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Line(bar)
    }

    pub fn tell(&self, layer: &str, step: &str, rows: u64) {
        let rows = if rows > 0 { format!(", {} objets", crate::publish::report::grouped(rows)) } else { String::new() };
        self.0.set_message(format!("{layer} : {step}{rows}"));
        self.0.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
