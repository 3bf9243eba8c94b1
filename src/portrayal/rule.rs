//! Rules: which features, at which scales, with which symbol.

use crate::portrayal::scale::ScaleRange;
use crate::portrayal::symbol::Part;
use crate::query::filter::Filter;

/// A rule draws a feature whose filter is true and for which none of `unless` is; an unknown truth is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// For the legend; may be empty.
    pub title: String,
    /// `None`: every feature.
    pub filter: Option<Filter>,
    pub unless: Vec<Filter>,
    pub scale: ScaleRange,
    pub symbol: Vec<Part>,
}

impl Rule {
    pub fn every(symbol: Vec<Part>) -> Rule {
        Rule { title: String::new(), filter: None, unless: Vec::new(), scale: ScaleRange::ALL, symbol }
    }
}

/// Features that something draws, and where: what an "all others" beside it must leave out.
#[derive(Clone, Debug, PartialEq)]
pub struct Cover {
    pub filter: Option<Filter>,
    pub scale: ScaleRange,
}

/// Rules of a style: the longest nomenclatures have a thousand classes, and work grows with the square.
pub const RULES_MAX: usize = 3_000;

/// Filters of all rules together, those left out among them: each "all others" carries every class beside it.
pub const FILTERS_MAX: usize = 100_000;

/// How much more a style may hold.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    rules: usize,
    filters: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { rules: RULES_MAX, filters: FILTERS_MAX }
    }
}

impl Budget {
    /// Whether one more rule with that many filters is not too much.
    pub fn has_room(self, filters: usize) -> bool {
        self.rules > 0 && filters <= self.filters
    }

    /// One more rule with that many filters; `false` where it is too much.
    pub fn takes(&mut self, filters: usize) -> bool {
        let fits = self.has_room(filters);
        if fits {
            self.rules -= 1;
            self.filters -= filters;
        }
        fits
    }
}

/// What is said of rules beyond the budget.
pub const TOO_MANY: &str = "le style compte trop de règles, les suivantes ne sont pas reprises";

/// What "all others" means beside `siblings`, at the scales of `range`: for each stretch of scales, the filters none of
/// which may be true. A stretch in which a sibling draws everything is left out. `None`: more than [`FILTERS_MAX`].
pub fn otherwise(siblings: &[Cover], range: ScaleRange) -> Option<Vec<(ScaleRange, Vec<Filter>)>> {
    let mut ends: Vec<f64> = siblings.iter().flat_map(|sibling| [sibling.scale.min, sibling.scale.max]).collect();
    ends.extend([range.min, range.max]);
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    if ends.len().saturating_mul(siblings.len()) > FILTERS_MAX {
        return None;
    }
    let mut found: Vec<(ScaleRange, Vec<Filter>)> = Vec::new();
    for pair in ends.windows(2) {
        let stretch = ScaleRange { min: pair[0], max: pair[1] };
        if !range.contains(stretch) {
            continue;
        }
        let active = siblings.iter().filter(|sibling| sibling.scale.contains(stretch));
        let Some(unless) = active.map(|sibling| sibling.filter.clone()).collect::<Option<Vec<Filter>>>() else { continue };
        match found.last_mut() {
            Some((before, same)) if before.max == stretch.min && *same == unless => before.max = stretch.max,
            _ => found.push((stretch, unless)),
        }
    }
    Some(found)
}

/// Both conditions.
pub fn both(a: Option<Filter>, b: Option<Filter>) -> Option<Filter> {
    match (a, b) {
        (Some(Filter::And(mut all)), Some(one)) => {
            all.push(one);
            Some(Filter::And(all))
        }
        (Some(a), Some(b)) => Some(Filter::And(vec![a, b])),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cql2_text;

    fn filter(text: &str) -> Filter {
        cql2_text::parse(text).expect("CQL2")
    }

    fn cover(text: &str, min: Option<f64>, max: Option<f64>) -> Cover {
        Cover { filter: Some(filter(text)), scale: ScaleRange::new(min, max) }
    }

    #[test]
    fn all_others_leave_out_what_is_drawn_at_the_scale() {
        let siblings = [cover("a = 1", None, Some(5_000.0)), cover("a = 2", None, None)];
        assert_eq!(
            otherwise(&siblings, ScaleRange::ALL),
            Some(vec![
                (ScaleRange::new(None, Some(5_000.0)), vec![filter("a = 1"), filter("a = 2")]),
                (ScaleRange::new(Some(5_000.0), None), vec![filter("a = 2")]),
            ])
        );
    }

    #[test]
    fn beside_a_rule_for_everything_there_are_no_others() {
        let everything = Cover { filter: None, scale: ScaleRange::new(Some(1_000.0), None) };
        assert_eq!(otherwise(&[everything], ScaleRange::ALL), Some(vec![(ScaleRange::new(None, Some(1_000.0)), Vec::new())]));
    }
}
