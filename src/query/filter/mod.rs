//! A condition on features, in one form for every language that clients write it in (CQL2, OGC 21-065r2).
//!
//! ```text
//!  CQL2 text ─┐                              ┌─ evaluate   the meaning, feature by feature
//!             ├─▶ Filter ─resolve─▶ Filter ──┤
//!  CQL2 JSON ─┘   as written        of a     └─ store      SQL with bound values
//!                                   layer
//! ```
//!
//! Truth has three values, as in SQL: what is compared with an absent value is unknown, and an unknown feature is left out.

pub mod cost;
pub mod fold;
pub mod kind;
pub mod moment;
pub mod reach;
pub mod relate;
pub mod resolve;
pub mod shape;

use crate::query::filter::moment::Moment;
use crate::query::filter::shape::Shape;

/// The name by which filters mean the geometry of a feature, and its id; no field has them (`model::layer::Field::name`).
pub const GEOMETRY: &str = "geometry";
pub const ID: &str = "id";

/// An expression: a condition, or a value inside one. Conditions may stand where values do, and the other way round:
/// [`resolve`](crate::query::filter::resolve) says what makes sense.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    // Values.
    Property(String),
    Text(String),
    Integer(i64),
    Real(f64),
    Boolean(bool),
    Moment(Moment),
    /// Start and end; both belong to it.
    Interval(Box<Filter>, Box<Filter>),
    /// `..`: an end of an interval that is open.
    Open,
    Shape(Shape),
    List(Vec<Filter>),
    /// Without regard to letter case (`/req/case-insensitive-comparison/casei-function`).
    Casei(Box<Filter>),
    /// Without regard to accents (`/req/accent-insensitive-comparison/accenti-function`).
    Accenti(Box<Filter>),
    Arithmetic(Arithmetic, Box<Filter>, Box<Filter>),
    Function(String, Vec<Filter>),
    // Conditions.
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Comparison, Box<Filter>, Box<Filter>),
    /// Text and pattern: `%` any signs, `_` one sign, `\` the next sign itself.
    Like(Box<Filter>, Box<Filter>),
    /// Value, least and greatest, both of which count.
    Between(Box<Filter>, Box<Filter>, Box<Filter>),
    In(Box<Filter>, Vec<Filter>),
    IsNull(Box<Filter>),
    Spatial(Spatial, Box<Filter>, Box<Filter>),
    Temporal(Temporal, Box<Filter>, Box<Filter>),
    Array(ArrayRelation, Box<Filter>, Box<Filter>),
}

/// A closed set of words of the standard: each member, and how CQL2 text spells it.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $member:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $member),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$member),*];

            /// As CQL2 text writes it; CQL2 JSON in lower case.
            pub fn word(self) -> &'static str {
                match self { $($name::$member => $word),* }
            }

            /// In any letter case.
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// Rule `comparisonOperator`.
    Comparison { Equal = "=", NotEqual = "<>", Less = "<", Greater = ">", LessOrEqual = "<=", GreaterOrEqual = ">=" }
}

words! {
    /// Rules `arithmeticOperatorPlusMinus`, `arithmeticOperatorMultDiv`, and the power. Computed in doubles.
    Arithmetic {
        Add = "+",
        Subtract = "-",
        Multiply = "*",
        Divide = "/",
        /// What is left, with the sign of the dividend.
        Remainder = "%",
        /// The whole part of the quotient.
        WholeDivide = "div",
        Power = "^",
    }
}

words! {
    /// Rule `spatialFunction`: the relations of OGC 06-103r4 §6.1.15.
    Spatial {
        Intersects = "S_INTERSECTS",
        Equals = "S_EQUALS",
        Disjoint = "S_DISJOINT",
        Touches = "S_TOUCHES",
        Within = "S_WITHIN",
        Overlaps = "S_OVERLAPS",
        Crosses = "S_CROSSES",
        Contains = "S_CONTAINS",
    }
}

words! {
    /// Rule `temporalFunction`: the relations of OWL-Time.
    Temporal {
        After = "T_AFTER",
        Before = "T_BEFORE",
        Contains = "T_CONTAINS",
        Disjoint = "T_DISJOINT",
        During = "T_DURING",
        Equals = "T_EQUALS",
        FinishedBy = "T_FINISHEDBY",
        Finishes = "T_FINISHES",
        Intersects = "T_INTERSECTS",
        Meets = "T_MEETS",
        MetBy = "T_METBY",
        OverlappedBy = "T_OVERLAPPEDBY",
        Overlaps = "T_OVERLAPS",
        StartedBy = "T_STARTEDBY",
        Starts = "T_STARTS",
    }
}

words! {
    /// Rule `arrayFunction`. No field of a layer is an array: they are understood, and refused.
    ArrayRelation { Equals = "A_EQUALS", Contains = "A_CONTAINS", ContainedBy = "A_CONTAINEDBY", Overlaps = "A_OVERLAPS" }
}

impl Filter {
    pub fn property(name: &str) -> Filter {
        Filter::Property(name.to_owned())
    }

    /// The expressions directly inside, in their order.
    pub fn children(&self) -> Vec<&Filter> {
        match self {
            Filter::Property(_)
            | Filter::Text(_)
            | Filter::Integer(_)
            | Filter::Real(_)
            | Filter::Boolean(_)
            | Filter::Moment(_)
            | Filter::Open
            | Filter::Shape(_) => Vec::new(),
            Filter::List(all) | Filter::Function(_, all) | Filter::And(all) | Filter::Or(all) => all.iter().collect(),
            Filter::Casei(one) | Filter::Accenti(one) | Filter::Not(one) | Filter::IsNull(one) => vec![one],
            Filter::Interval(a, b)
            | Filter::Arithmetic(_, a, b)
            | Filter::Compare(_, a, b)
            | Filter::Like(a, b)
            | Filter::Spatial(_, a, b)
            | Filter::Temporal(_, a, b)
            | Filter::Array(_, a, b) => vec![a, b],
            Filter::Between(a, b, c) => vec![a, b, c],
            Filter::In(one, all) => std::iter::once(&**one).chain(all).collect(),
        }
    }

    /// The same expression with each direct child replaced by what `change` makes of it.
    ///
    /// # Errors
    /// The first of `change`.
    pub fn try_map<E>(self, change: &mut dyn FnMut(Filter) -> Result<Filter, E>) -> Result<Filter, E> {
        fn each<E>(all: Vec<Filter>, change: &mut dyn FnMut(Filter) -> Result<Filter, E>) -> Result<Vec<Filter>, E> {
            all.into_iter().map(change).collect()
        }
        let mut one = |boxed: Box<Filter>| change(*boxed).map(Box::new);
        Ok(match self {
            leaf @ (Filter::Property(_)
            | Filter::Text(_)
            | Filter::Integer(_)
            | Filter::Real(_)
            | Filter::Boolean(_)
            | Filter::Moment(_)
            | Filter::Open
            | Filter::Shape(_)) => leaf,
            Filter::Interval(a, b) => Filter::Interval(one(a)?, one(b)?),
            Filter::Casei(a) => Filter::Casei(one(a)?),
            Filter::Accenti(a) => Filter::Accenti(one(a)?),
            Filter::Not(a) => Filter::Not(one(a)?),
            Filter::IsNull(a) => Filter::IsNull(one(a)?),
            Filter::Arithmetic(operator, a, b) => Filter::Arithmetic(operator, one(a)?, one(b)?),
            Filter::Compare(operator, a, b) => Filter::Compare(operator, one(a)?, one(b)?),
            Filter::Like(a, b) => Filter::Like(one(a)?, one(b)?),
            Filter::Spatial(relation, a, b) => Filter::Spatial(relation, one(a)?, one(b)?),
            Filter::Temporal(relation, a, b) => Filter::Temporal(relation, one(a)?, one(b)?),
            Filter::Array(relation, a, b) => Filter::Array(relation, one(a)?, one(b)?),
            Filter::Between(a, b, c) => Filter::Between(one(a)?, one(b)?, one(c)?),
            Filter::List(all) => Filter::List(each(all, change)?),
            Filter::Function(name, all) => Filter::Function(name, each(all, change)?),
            Filter::And(all) => Filter::And(each(all, change)?),
            Filter::Or(all) => Filter::Or(each(all, change)?),
            Filter::In(value, all) => Filter::In(Box::new(change(*value)?), each(all, change)?),
        })
    }
}
