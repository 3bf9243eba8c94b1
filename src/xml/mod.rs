//! XML of strangers as a tree, and trees as XML.
//!
//! A document is bounded in size, depth and number of elements; it may name a document type (QGIS does) but declare
//! nothing in it, so no entity exists but XML's own five. Nothing that it names is fetched. Names are told by their local
//! part: the files that people have say every prefix.

mod decode;
mod element;
mod read;
mod write;

pub use crate::xml::element::Element;
pub use crate::xml::element::Node;
pub use crate::xml::read::parse;
pub use crate::xml::write::write;

/// A style with a picture inside has some megabytes.
pub const SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// QGIS nests symbols in symbols to a depth of thirty.
pub const DEPTH_MAX: usize = 100;

/// A thousand categories of QGIS are a hundred thousand elements.
pub const ELEMENTS_MAX: usize = 1_000_000;

/// The longest list that a standard gives one element is a tenth of it.
pub const ATTRIBUTES_MAX: usize = 200;

/// Why a document is no tree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum XmlError {
    #[error("le document dépasse {size_bytes_max} octets")]
    TooLarge { size_bytes_max: usize },
    #[error("le document imbrique plus de {depth_max} éléments")]
    TooDeep { depth_max: usize },
    #[error("le document compte plus de {elements_max} éléments ou un élément a plus de {ATTRIBUTES_MAX} attributs")]
    TooMany { elements_max: usize },
    #[error("le document déclare son propre type (DTD), ce qui est refusé")]
    DocumentType,
    #[error("le document emploie l'entité « {name} », inconnue")]
    Entity { name: String },
    #[error("l'encodage « {name} » du document est inconnu, ou son texte n'en est pas")]
    Encoding { name: String },
    #[error("le document n'est pas du XML bien formé (octet {at_byte}) : {reason}")]
    Malformed { at_byte: u64, reason: String },
}
