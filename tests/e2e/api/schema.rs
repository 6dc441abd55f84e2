//! Whether an answer is what the OpenAPI document says.

use jsonschema::Validator;
use serde_json::Value;

/// The schema at `place` of `document`, such as `/components/…`; fields that the document does not
/// name are wrong by it.
pub(super) fn schema(document: &Value, place: &str) -> Validator {
    let mut root = document.clone();
    forbid_others(&mut root);
    // As a JSON pointer, in a URI.
    let place = place.replace('{', "%7B").replace('}', "%7D");
    root["$ref"] = Value::from(format!("#{place}"));
    jsonschema::validator_for(&root).unwrap_or_else(|error| panic!("{place}: {error}"))
}

/// What is wrong with `value`.
pub(super) fn problems(schema: &Validator, value: &Value) -> Vec<String> {
    let problems = schema.iter_errors(value);
    problems.map(|problem| problem.to_string()).collect()
}

/// A field that the document does not name would pass otherwise.
fn forbid_others(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let has_fields = fields.get("properties").is_some_and(Value::is_object);
            if has_fields && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(forbid_others);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_others),
        _ => {}
    }
}
