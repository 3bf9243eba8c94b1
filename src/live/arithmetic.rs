//! What filters compute, in PostgreSQL's words: as `query::evaluate` and `query::filter::fold` do it.

use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use crate::query::filter::Arithmetic;

/// Beyond these logarithms a product or a power is infinite, or nothing.
const LARGEST: &str = "709.782712893384";
const SMALLEST: &str = "-745.1332191019411";

/// In doubles; what is no number (a division by zero) is null. PostgreSQL refuses what overflows or vanishes; here that is
/// infinite, or zero.
pub fn compute(operator: Arithmetic, a: &str, b: &str) -> String {
    let sign = "(sign(x) * sign(y))";
    let found = match operator {
        Arithmetic::Add => "x + y".to_owned(),
        Arithmetic::Subtract => "x - y".to_owned(),
        Arithmetic::Multiply => format!(
            "CASE WHEN x = 0 OR y = 0 OR {INFINITE} THEN x * y \
             WHEN {LN_X} + {LN_Y} > {LARGEST} THEN {sign} * 'infinity'::float8 \
             WHEN {LN_X} + {LN_Y} < {SMALLEST} THEN 0 ELSE x * y END"
        ),
        Arithmetic::Divide => divided(),
        Arithmetic::WholeDivide => format!("trunc({})", divided()),
        Arithmetic::Remainder => format!(
            "CASE WHEN y = 0 OR abs(x) = 'infinity' THEN NULL WHEN abs(y) = 'infinity' OR abs(x) < abs(y) THEN x \
             WHEN {LN_X} - {LN_Y} > {LARGEST} THEN NULL ELSE sign(x) * {LEFT} END"
        ),
        Arithmetic::Power => format!(
            "CASE WHEN y = 0 OR x = 1 THEN 1 WHEN x = 0 AND y < 0 THEN 'infinity'::float8 \
             WHEN x < 0 AND abs(x) < 'infinity' AND abs(y) < 'infinity' AND y <> trunc(y) THEN NULL \
             WHEN x <> 0 AND NOT ({INFINITE}) AND {LN_X} * y > {LARGEST} \
                 THEN (CASE WHEN x < 0 AND abs(y) < 9007199254740992 AND mod(y::numeric, 2) <> 0 THEN -1 ELSE 1 END) * 'infinity'::float8 \
             WHEN x <> 0 AND NOT ({INFINITE}) AND {LN_X} * y < {SMALLEST} THEN 0 \
             ELSE power(x, y) END"
        ),
    };
    format!(
        "(SELECT CASE WHEN x IS NOT NULL AND y IS NOT NULL THEN NULLIF({found}, 'NaN') END \
         FROM (VALUES (({a})::float8, ({b})::float8)) AS operands(x, y))"
    )
}

/// What is left of |x| by |y|, as long division finds it: the greatest |y| 2ⁿ is taken away until none fits, and each of these
/// differences is exact.
const LEFT: &str = "(WITH RECURSIVE division(r) AS (VALUES (abs(x)) UNION ALL \
     SELECT r - CASE WHEN s * 2 <= r THEN s * 2 WHEN s > r THEN s / 2 ELSE s END FROM ( \
         SELECT r, abs(y) * power(2::float8, floor(ln(r / abs(y)) / ln(2::float8))) AS s FROM division WHERE r >= abs(y)) AS step) \
     SELECT min(r) FROM division)";

/// Of zero too, which no branch means: PostgreSQL computes what it can before it chooses between the branches of a CASE.
const LN_X: &str = "ln(CASE WHEN x = 0 THEN 1 ELSE abs(x) END)";
const LN_Y: &str = "ln(CASE WHEN y = 0 THEN 1 ELSE abs(y) END)";

const INFINITE: &str = "abs(x) = 'infinity' OR abs(y) = 'infinity'";

fn divided() -> String {
    format!(
        "(CASE WHEN y = 0 THEN NULL WHEN x = 0 OR {INFINITE} THEN x / y \
         WHEN {LN_X} - {LN_Y} > {LARGEST} THEN (sign(x) * sign(y)) * 'infinity'::float8 \
         WHEN {LN_X} - {LN_Y} < {SMALLEST} THEN 0 ELSE x / y END)"
    )
}

/// The first double above every `int8`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// A whole number against a literal: compared as whole numbers, so that an index serves it.
pub fn whole_against(whole: &str, operator: &str, real: f64) -> String {
    let truth = |holds: bool| format!("({whole} {} {whole})", if holds { "=" } else { "<>" });
    if !(-BEYOND..BEYOND).contains(&real) {
        // Every whole number is below the one, and above the other.
        return truth(match operator {
            "<" | "<=" => real > 0.0,
            ">" | ">=" => real < 0.0,
            other => other == "<>",
        });
    }
    let below = real.floor() as i64;
    if real.floor() == real {
        return format!("({whole} {operator} {below}::int8)");
    }
    match operator {
        "<" | "<=" => format!("({whole} <= {below}::int8)"),
        ">" | ">=" => format!("({whole} > {below}::int8)"),
        other => truth(other == "<>"),
    }
}

/// A whole number against a double of the row: where the two are one double, as whole numbers.
pub fn whole_and_real(whole: &str, operator: &str, real: &str) -> String {
    format!(
        "(SELECT CASE WHEN i::float8 = x AND x < {BEYOND:?} AND x >= -{BEYOND:?} THEN i {operator} x::int8 \
         WHEN i::float8 = x THEN 0 {operator} 1 ELSE i::float8 {operator} x END \
         FROM (VALUES (({whole})::int8, ({real})::float8)) AS operands(i, x))"
    )
}

/// ICU's root collation knows the letter cases of every script; its final sigma is a sigma here.
pub fn casei(text: &str) -> String {
    format!("(replace(lower(upper({text} COLLATE \"und-x-icu\") COLLATE \"und-x-icu\"), 'ς', 'σ') COLLATE \"C\")")
}

/// Texts of one byte a sign have no accents, and most are.
pub fn accenti(text: &str) -> String {
    format!(
        "(SELECT CASE WHEN octet_length(t) = char_length(t) THEN t ELSE normalize(replace(replace(replace(replace(\
         regexp_replace(normalize(t, NFD), '{}', '', 'g'), 'œ', 'oe'), 'Œ', 'OE'), 'æ', 'ae'), 'Æ', 'AE'), NFC) END \
         FROM (VALUES ({text})) AS texts(t)) COLLATE \"C\"",
        &*MARKS
    )
}

/// A class of every combining mark but the two that make another sound of a Japanese syllable.
static MARKS: LazyLock<String> = LazyLock::new(|| {
    let is_mark = |code: &u32| {
        let voicing = matches!(code, 0x3099 | 0x309A);
        !voicing && char::from_u32(*code).is_some_and(is_combining_mark)
    };
    let mut class = String::from("[");
    let mut first = None;
    for code in 0..=0x0011_0000u32 {
        match (first, is_mark(&code)) {
            (None, true) => first = Some(code),
            (Some(start), false) => {
                class.push_str(&format!("\\U{start:08X}-\\U{:08X}", code - 1));
                first = None;
            }
            _ => {}
        }
    }
    class.push(']');
    class
});
