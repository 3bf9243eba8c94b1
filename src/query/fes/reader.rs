//! Elements to a filter.

use crate::query::fes::NotUnderstood;
use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::cost;
use crate::xml::Element;

type Found = Result<Filter, NotUnderstood>;

/// The condition of a `Filter` element.
///
/// # Errors
/// The first element that is not understood; a filter beyond [`cost`]'s bounds.
pub fn read(filter: &Element) -> Found {
    let mut parts = filter.children();
    let found = condition(parts.next().ok_or_else(|| NotUnderstood::new(&filter.name))?, 0)?;
    match parts.next() {
        Some(more) => Err(NotUnderstood::new(&more.name)),
        None => cost::check(&found).map(|()| found).map_err(|reason| NotUnderstood::new(&reason)),
    }
}

fn condition(element: &Element, depth: usize) -> Found {
    if depth > cost::DEPTH_MAX {
        return Err(NotUnderstood::new(&element.name));
    }
    let all = || element.children().map(|part| condition(part, depth + 1)).collect::<Result<Vec<Filter>, NotUnderstood>>();
    let only = || NotUnderstood::new(&element.name);
    Ok(match element.local() {
        "And" => Filter::And(all()?),
        "Or" => Filter::Or(all()?),
        "Not" => Filter::Not(Box::new(all()?.pop().ok_or_else(only)?)),
        "PropertyIsNull" | "PropertyIsNil" => Filter::IsNull(Box::new(operand(element, 0, depth)?)),
        "PropertyIsLike" => like(element, depth)?,
        "PropertyIsBetween" => {
            let bound = |name: &str| operand(element.child(name).ok_or_else(only)?, 0, depth).map(Box::new);
            Filter::Between(Box::new(operand(element, 0, depth)?), bound("LowerBoundary")?, bound("UpperBoundary")?)
        }
        name => compare(element, comparison(name).ok_or_else(only)?, depth)?,
    })
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        "PropertyIsEqualTo" => Comparison::Equal,
        "PropertyIsNotEqualTo" => Comparison::NotEqual,
        "PropertyIsLessThan" => Comparison::Less,
        "PropertyIsGreaterThan" => Comparison::Greater,
        "PropertyIsLessThanOrEqualTo" => Comparison::LessOrEqual,
        "PropertyIsGreaterThanOrEqualTo" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// GeoServer writes a list of values as `in(name, a, b) = true`.
fn compare(element: &Element, operator: Comparison, depth: usize) -> Found {
    if let Some(function) = element.child("Function")
        && operator == Comparison::Equal
        && element.text_at(&["Literal"]).is_some_and(|truth| truth == "true")
    {
        let is_list = matches!(function.attribute("name"), Some("in"));
        let mut arguments = function.children().map(|part| value(part, depth + 1)).collect::<Result<Vec<Filter>, NotUnderstood>>()?;
        if is_list && arguments.len() > 1 {
            return Ok(Filter::In(Box::new(arguments.remove(0)), arguments));
        }
        return Err(NotUnderstood::new(function.attribute("name").unwrap_or("Function")));
    }
    let (a, b) = (operand(element, 0, depth)?, operand(element, 1, depth)?);
    Ok(match element.attribute("matchCase") {
        Some("false") => Filter::Compare(operator, Box::new(folded(a)), Box::new(folded(b))),
        _ => Filter::Compare(operator, Box::new(a), Box::new(b)),
    })
}

/// Letter case matters to texts alone.
fn folded(operand: Filter) -> Filter {
    match operand {
        Filter::Property(_) | Filter::Text(_) => Filter::Casei(Box::new(operand)),
        other => other,
    }
}

fn like(element: &Element, depth: usize) -> Found {
    let sign = |names: &[&str], default: char| {
        names.iter().find_map(|name| element.attribute(name)).and_then(|signs| signs.chars().next()).unwrap_or(default)
    };
    let (any, one) = (sign(&["wildCard"], '*'), sign(&["singleChar"], '?'));
    let escape = sign(&["escapeChar", "escape"], '\\');
    let text = operand(element, 0, depth)?;
    let written = element.at(&["Literal"]).map(Element::text).ok_or_else(|| NotUnderstood::new(&element.name))?;
    let pattern = Filter::Text(pattern(&written, any, one, escape));
    Ok(match element.attribute("matchCase") {
        Some("false") => Filter::Like(Box::new(folded(text)), Box::new(folded(pattern))),
        _ => Filter::Like(Box::new(text), Box::new(pattern)),
    })
}

/// In the signs of SQL, whatever signs the document chose.
fn pattern(written: &str, any: char, one: char, escape: char) -> String {
    let mut pattern = String::new();
    let mut signs = written.chars();
    while let Some(sign) = signs.next() {
        let literal = match sign {
            sign if sign == escape => signs.next().unwrap_or(escape),
            sign if sign == any => {
                pattern.push('%');
                continue;
            }
            sign if sign == one => {
                pattern.push('_');
                continue;
            }
            sign => sign,
        };
        if matches!(literal, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(literal);
    }
    pattern
}

fn operand(element: &Element, nth: usize, depth: usize) -> Found {
    value(element.children().nth(nth).ok_or_else(|| NotUnderstood::new(&element.name))?, depth + 1)
}

/// An expression: `PropertyName`, `Literal`, arithmetic.
///
/// # Errors
/// The first element that is not understood.
pub fn value(element: &Element, depth: usize) -> Found {
    if depth > cost::DEPTH_MAX {
        return Err(NotUnderstood::new(&element.name));
    }
    let operator = match element.local() {
        "PropertyName" | "ValueReference" => return Ok(Filter::Property(property(&element.text()))),
        "Literal" => return Ok(literal(&element.text())),
        "Add" => Arithmetic::Add,
        "Sub" => Arithmetic::Subtract,
        "Mul" => Arithmetic::Multiply,
        "Div" => Arithmetic::Divide,
        "Function" => return Err(NotUnderstood::new(element.attribute("name").unwrap_or("Function"))),
        _ => return Err(NotUnderstood::new(&element.name)),
    };
    Ok(Filter::Arithmetic(operator, Box::new(operand(element, 0, depth)?), Box::new(operand(element, 1, depth)?)))
}

/// The last step of a path, without its prefix.
fn property(path: &str) -> String {
    let step = path.rsplit('/').next().unwrap_or(path);
    step.rsplit(':').next().unwrap_or(step).to_owned()
}

fn literal(text: &str) -> Filter {
    if let Ok(whole) = text.parse::<i64>()
        && whole.to_string() == text
    {
        return Filter::Integer(whole);
    }
    match text.parse::<f64>() {
        Ok(real) if real.is_finite() && real.to_string() == text => Filter::Real(real),
        _ => Filter::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cql2_text;
    use crate::xml;

    fn read_text(inside: &str) -> Result<String, String> {
        let document = format!("<ogc:Filter xmlns:ogc='http://www.opengis.net/ogc'>{inside}</ogc:Filter>");
        let element = xml::parse(document.as_bytes()).expect("XML");
        read(&element).map(|filter| cql2_text::write(&filter)).map_err(|error| error.what)
    }

    fn check(inside: &str, expected: &str) {
        assert_eq!(read_text(inside), Ok(expected.to_owned()));
    }

    #[test]
    fn conditions_are_read() {
        let name = "<ogc:PropertyName>app:nom</ogc:PropertyName>";
        check(&format!("<ogc:PropertyIsEqualTo>{name}<ogc:Literal>Bédée</ogc:Literal></ogc:PropertyIsEqualTo>"), "nom = 'Bédée'");
        check(&format!("<ogc:PropertyIsGreaterThan>{name}<ogc:Literal>10.5</ogc:Literal></ogc:PropertyIsGreaterThan>"), "nom > 10.5");
        check(&format!("<ogc:PropertyIsEqualTo>{name}<ogc:Literal>0123</ogc:Literal></ogc:PropertyIsEqualTo>"), "nom = '0123'");
        check(&format!("<Not><PropertyIsNull>{name}</PropertyIsNull></Not>"), "NOT nom IS NULL");
        check(&format!("<PropertyIsEqualTo matchCase='false'>{name}<Literal>x</Literal></PropertyIsEqualTo>"), "CASEI(nom) = CASEI('x')");
        check(
            &format!(
                "<PropertyIsBetween>{name}<LowerBoundary><Literal>1</Literal></LowerBoundary><UpperBoundary><Literal>5</Literal></UpperBoundary></PropertyIsBetween>"
            ),
            "nom BETWEEN 1 AND 5",
        );
        check(
            &format!(
                "<PropertyIsEqualTo><Function name='in'>{name}<Literal>1</Literal><Literal>2</Literal></Function><Literal>true</Literal></PropertyIsEqualTo>"
            ),
            "nom IN (1, 2)",
        );
    }

    #[test]
    fn patterns_take_the_signs_of_sql() {
        assert_eq!(pattern("*York!*%.", '*', '.', '!'), "%York*\\%_");
        let name = "<PropertyName>nom</PropertyName>";
        check(
            &format!("<PropertyIsLike wildCard='*' singleChar='.' escape='!'>{name}<Literal>*New*</Literal></PropertyIsLike>"),
            "nom LIKE '%New%'",
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (inside, what) in [
            ("<ogc:BBOX/>", "ogc:BBOX"),
            ("", "ogc:Filter"),
            ("<PropertyIsEqualTo/>", "PropertyIsEqualTo"),
            ("<PropertyIsEqualTo><Function name='strToLowerCase'/><Literal>a</Literal></PropertyIsEqualTo>", "strToLowerCase"),
            ("<PropertyIsNull><PropertyName>a</PropertyName></PropertyIsNull><And/>", "And"),
        ] {
            assert_eq!(read_text(inside), Err(what.to_owned()), "{inside}");
        }
        let deep = "<Not>".repeat(70) + "<PropertyIsNull><PropertyName>a</PropertyName></PropertyIsNull>" + &"</Not>".repeat(70);
        assert_eq!(read_text(&deep), Err("Not".to_owned()));
    }
}
