//! What a filter may cost before anything is asked.

use crate::query::filter::Filter;

/// Signs of a filter's text: an address has room for no more.
pub const LENGTH_MAX: usize = 32 * 1024;

/// Expressions in expressions: people write a dozen, and a hostile thousand must not exhaust the stack.
pub const DEPTH_MAX: usize = 60;

/// Expressions in all: a list of some hundred codes is a fair question.
pub const EXPRESSIONS_MAX: usize = 2_000;

/// Positions of all geometries: a commune's border has some hundred.
pub const VERTICES_MAX: usize = 10_000;

/// Signs of a pattern: its matching grows with them.
pub const PATTERN_MAX: usize = 200;

/// # Errors
/// What is too much, for the client.
pub fn check(filter: &Filter) -> Result<(), String> {
    let mut tally = Tally::default();
    tally.see(filter, 0)
}

#[derive(Default)]
struct Tally {
    expressions: usize,
    vertices: usize,
}

impl Tally {
    fn see(&mut self, filter: &Filter, depth: usize) -> Result<(), String> {
        self.expressions += 1;
        if let Filter::Shape(shape) = filter {
            self.vertices += shape.vertices();
        }
        within("expressions inside one another", depth, DEPTH_MAX)?;
        within("expressions", self.expressions, EXPRESSIONS_MAX)?;
        within("positions", self.vertices, VERTICES_MAX)?;
        if let Filter::Like(_, pattern) = filter {
            within("signs of a pattern", signs(pattern), PATTERN_MAX)?;
        }
        filter.children().into_iter().try_for_each(|child| self.see(child, depth + 1))
    }
}

fn signs(pattern: &Filter) -> usize {
    match pattern {
        Filter::Text(text) => text.chars().count(),
        other => other.children().into_iter().map(signs).sum(),
    }
}

fn within(what: &str, found: usize, most: usize) -> Result<(), String> {
    if found <= most { Ok(()) } else { Err(format!("expected at most {most} {what}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_refused_with_the_reason() {
        let name = || Box::new(Filter::property("nom"));
        let long = Filter::In(name(), vec![Filter::Integer(1); EXPRESSIONS_MAX]);
        let deep = (0..=DEPTH_MAX).fold(Filter::Boolean(true), |inner, _| Filter::Not(Box::new(inner)));
        let pattern = Filter::Like(name(), Box::new(Filter::Casei(Box::new(Filter::Text("%".repeat(PATTERN_MAX + 1))))));
        for (filter, reason) in [(long, "2000 expressions"), (deep, "60 expressions inside"), (pattern, "200 signs of a pattern")] {
            assert!(check(&filter).is_err_and(|found| found.contains(reason)), "{reason}");
        }
        assert_eq!(check(&Filter::Like(name(), Box::new(Filter::Text("rue%".into())))), Ok(()));
    }
}
