//! What a condition says itself: numbers, texts, lists and expressions.

use volley_java::JavaRegex;

use super::scalars::Scalar;

#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<Literal>),
    Regex(Box<JavaRegex>),
}

impl Literal {
    pub(super) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Null => Scalar::Null,
            Self::Flag(flag) => Scalar::Flag(*flag),
            Self::Whole(number) => Scalar::Whole(*number),
            Self::Float(number) => Scalar::Float(*number),
            Self::Text(text) => Scalar::Text(text),
            Self::List(items) => Scalar::Literals(items),
            Self::Regex(regex) => Scalar::Regex(regex),
        }
    }
}
