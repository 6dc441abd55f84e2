//! One AMF0 value.

use crate::Object;

/// An AMF0 value; the variants stand in the order of their markers (AMF 0, 2.1).
///
/// Numbers compare as IEEE 754 does: a NaN equals nothing, itself included.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double, the only numeric type.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text. More than 65535 bytes do not fit the wire's 16 bit length: [`encode`](crate::encode)
    /// writes such a string as a long string.
    String(String),
    /// An anonymous object: named properties in the order they were written.
    Object(Object),
    /// ActionScript's `null`; RTMP commands put it where an argument has no meaning.
    Null,
    /// ActionScript's `undefined`.
    Undefined,
    /// The complex value (object or array) of that index, counted from 0 within the same data.
    ///
    /// Decoding replaces a reference by what it names. It stays where it names nothing, or a value
    /// that contains it, which a tree cannot hold.
    Reference(u16),
    /// An associative array, the usual form of `onMetaData`.
    EcmaArray(Object),
    /// An array with indices from 0.
    StrictArray(Vec<Self>),
    /// A moment.
    Date {
        /// Milliseconds since 1970-01-01, UTC.
        millis: f64,
        /// Minutes from UTC. Reserved: writers should put 0, readers should ignore it.
        time_zone: i16,
    },
    /// Text with a 32 bit length.
    LongString(String),
    /// A place holder for something the writer could not express.
    Unsupported,
    /// The text of an XML document, not parsed.
    XmlDocument(String),
    /// An object of a registered class.
    TypedObject {
        /// The alias under which the class is registered.
        class: String,
        /// The object's members.
        properties: Object,
    },
}

impl Value {
    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one. Numbers are not converted.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// The text of a string or long string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::LongString(text) => Some(text),
            _ => None,
        }
    }

    /// The properties of an object, ECMA array or typed object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(properties)
            | Self::EcmaArray(properties)
            | Self::TypedObject { properties, .. } => Some(properties),
            _ => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Object> for Value {
    fn from(properties: Object) -> Self {
        Self::Object(properties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accessor_answers_for_its_own_types_only() {
        let properties = Object::new().with("a", 1.0);
        let typed = Value::TypedObject {
            class: "C".to_owned(),
            properties: properties.clone(),
        };
        let values = [
            Value::from(1.5),
            Value::from(true),
            Value::from("text"),
            Value::LongString("long".to_owned()),
            Value::from(properties.clone()),
            Value::EcmaArray(properties.clone()),
            typed,
            Value::Null,
            Value::XmlDocument("<a/>".to_owned()),
        ];

        let numbers: Vec<_> = values.iter().filter_map(Value::as_f64).collect();
        let booleans: Vec<_> = values.iter().filter_map(Value::as_bool).collect();
        let texts: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        let objects: Vec<_> = values.iter().filter_map(Value::as_object).collect();

        assert_eq!(numbers, [1.5]);
        assert_eq!(booleans, [true]);
        assert_eq!(texts, ["text", "long"]);
        assert_eq!(objects, [&properties; 3]);
    }
}
