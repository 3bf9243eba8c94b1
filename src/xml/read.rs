//! Text to tree.

use quick_xml::Reader;
use quick_xml::escape;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;

use crate::xml::ATTRIBUTES_MAX;
use crate::xml::DEPTH_MAX;
use crate::xml::ELEMENTS_MAX;
use crate::xml::Element;
use crate::xml::Node;
use crate::xml::SIZE_BYTES_MAX;
use crate::xml::XmlError;
use crate::xml::decode;

/// The root of a document. Comments and processing instructions are left out.
///
/// # Errors
/// Everything that [`XmlError`] names.
pub fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    if bytes.len() > SIZE_BYTES_MAX {
        return Err(XmlError::TooLarge { size_bytes_max: SIZE_BYTES_MAX });
    }
    let text = decode::decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    let mut tree = Tree::default();
    loop {
        let at_byte = reader.buffer_position();
        let malformed = |reason: String| XmlError::Malformed { at_byte, reason };
        match reader.read_event().map_err(|error| malformed(error.to_string()))? {
            Event::Start(tag) => tree.open(element(&tag, at_byte)?)?,
            Event::Empty(tag) => {
                tree.open(element(&tag, at_byte)?)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content()),
            Event::CData(text) => tree.text(&text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|error| malformed(error.to_string()))? {
                Some(sign) => tree.text(sign.encode_utf8(&mut [0; 4])),
                None => tree.text(predefined(&name.xml10_content())?),
            },
            Event::DocType(declaration) if declaration.xml10_content().contains('[') => return Err(XmlError::DocumentType),
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.finish(at_byte),
        }
    }
}

fn predefined(name: &str) -> Result<&'static str, XmlError> {
    escape::resolve_predefined_entity(name).ok_or_else(|| XmlError::Entity { name: name.chars().take(40).collect() })
}

fn element(tag: &BytesStart<'_>, at_byte: u64) -> Result<Element, XmlError> {
    let mut element = Element::new(tag.name().as_ref());
    // Twins are not looked for: the search would grow with their square.
    for attribute in tag.attributes().with_checks(false) {
        let malformed = |reason: String| XmlError::Malformed { at_byte, reason };
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        let value = escape::unescape(&attribute.value).map_err(|error| malformed(error.to_string()))?;
        element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        if element.attributes.len() > ATTRIBUTES_MAX {
            return Err(XmlError::TooMany { elements_max: ELEMENTS_MAX });
        }
    }
    Ok(element)
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(XmlError::TooMany { elements_max: ELEMENTS_MAX });
        }
        if self.open.len() == DEPTH_MAX {
            return Err(XmlError::TooDeep { depth_max: DEPTH_MAX });
        }
        self.open.push(element);
        Ok(())
    }

    /// The reader has checked that the tags match.
    fn close(&mut self) {
        let Some(mut done) = self.open.pop() else { return };
        if done.children().next().is_some() {
            done.nodes.retain(|node| !matches!(node, Node::Text(text) if is_indentation(text)));
        }
        match self.open.last_mut() {
            Some(parent) => parent.nodes.push(Node::Element(done)),
            None => self.root = self.root.take().or(Some(done)),
        }
    }

    fn text(&mut self, text: &str) {
        let Some(inside) = self.open.last_mut() else { return };
        match inside.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => inside.nodes.push(Node::Text(text.to_owned())),
        }
    }

    fn finish(self, at_byte: u64) -> Result<Element, XmlError> {
        let reason = if self.open.is_empty() { "aucun élément" } else { "un élément reste ouvert" };
        self.root.filter(|_| self.open.is_empty()).ok_or_else(|| XmlError::Malformed { at_byte, reason: reason.to_owned() })
    }
}

fn is_indentation(text: &str) -> bool {
    text.contains('\n') && text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let root = parse(b"<?xml version='1.0'?><!-- x --><a n='1 &lt; 2'><b>x &amp; y&#233;<![CDATA[<z>]]></b><c/></a>").expect("a tree");
        assert_eq!(root.attribute("n"), Some("1 < 2"));
        assert_eq!(root.text_at(&["b"]).as_deref(), Some("x & yé<z>"));
        assert_eq!(root.children().map(Element::local).collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn a_document_type_may_be_named_and_not_declared() {
        assert!(parse(b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'><qgis/>").is_ok());
        assert_eq!(parse(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"), Err(XmlError::DocumentType));
        assert_eq!(parse(b"<a>&e;</a>"), Err(XmlError::Entity { name: "e".into() }));
        assert!(matches!(parse(b"<a n='&e;'/>"), Err(XmlError::Malformed { .. })));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "text", "<a>", "<a></b>", "</a>", "<a n=1/>", "<a", "<a>&#0;</a>", "<a>&#xFFFFFFFF;</a>"] {
            assert!(matches!(parse(text.as_bytes()), Err(XmlError::Malformed { .. })), "{text}: {:?}", parse(text.as_bytes()));
        }
    }

    #[test]
    fn a_hostile_document_is_refused_quickly() {
        let start = Instant::now();
        let bomb = format!("<!DOCTYPE a [<!ENTITY a '{}'><!ENTITY b '{}'>]><a>&b;</a>", "x".repeat(1000), "&a;".repeat(1000));
        assert_eq!(parse(bomb.as_bytes()), Err(XmlError::DocumentType));
        assert_eq!(parse("<a>".repeat(1_000_000).as_bytes()), Err(XmlError::TooDeep { depth_max: DEPTH_MAX }));
        assert_eq!(parse("<a/>".repeat(4_000_000).as_bytes()), Err(XmlError::TooMany { elements_max: ELEMENTS_MAX }));
        assert!(matches!(parse(format!("<a {}/>", "b='' ".repeat(1_000_000)).as_bytes()), Err(XmlError::TooMany { .. })));
        assert_eq!(parse(&vec![b' '; SIZE_BYTES_MAX + 1]), Err(XmlError::TooLarge { size_bytes_max: SIZE_BYTES_MAX }));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
