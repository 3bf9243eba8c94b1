//! Tree to text, indented for people.

use crate::xml::Element;
use crate::xml::Node;

/// A whole document in UTF-8.
pub fn write(root: &Element) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(root, 0, &mut out);
    out
}

/// An element that holds text is written on one line: spaces beside text would be text.
fn element(element: &Element, depth: usize, out: &mut String) {
    indent(depth, out);
    tag(element, out);
    if element.nodes.is_empty() {
        out.push('\n');
        return;
    }
    if element.nodes.iter().any(|node| matches!(node, Node::Text(_))) {
        inline(element, out);
    } else {
        out.push('\n');
        element.children().for_each(|child| self::element(child, depth + 1, out));
        indent(depth, out);
    }
    end(element, out);
    out.push('\n');
}

fn inline(element: &Element, out: &mut String) {
    for node in &element.nodes {
        match node {
            Node::Text(text) => escape(text, out),
            Node::Element(child) => {
                tag(child, out);
                if !child.nodes.is_empty() {
                    inline(child, out);
                    end(child, out);
                }
            }
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn tag(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(value, out);
        out.push('"');
    }
    out.push_str(if element.nodes.is_empty() { "/>" } else { ">" });
}

fn end(element: &Element, out: &mut String) {
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}

/// Signs that XML 1.0 has no way to write are left out.
fn escape(text: &str, out: &mut String) {
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(sign))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            sign => out.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    #[test]
    fn what_is_written_reads_the_same() {
        let mixed = Element {
            nodes: vec![Node::Text("a & b ".into()), Node::Element(Element::text_of("ogc:PropertyName", "nom"))],
            ..Element::new("se:Label")
        };
        let root = Element::new("sld:A").with_attribute("title", "« x » < \"y\"\n").with(mixed).with(Element::new("se:Empty"));
        assert_eq!(parse(write(&root).as_bytes()).map(|found| crate::xml::write(&found)), Ok(write(&root)));
        assert!(write(&root).contains("<se:Label>a &amp; b <ogc:PropertyName>nom</ogc:PropertyName></se:Label>"));
    }

    #[test]
    fn signs_that_xml_cannot_hold_are_left_out() {
        assert!(parse(write(&Element::text_of("a", "x\u{0}\u{b}y")).as_bytes()).is_ok_and(|found| found.text() == "xy"));
    }
}
