//! The JSON Schema of the configuration: editors complete and check files by it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Config;

/// The schema, of draft 2020-12. It knows every key, type and plain range. What it cannot express,
/// such as the range of `"10s"` or settings that contradict each other, only reading finds.
#[must_use]
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), "srs.toml".into());
    schema.insert("description".to_owned(), DESCRIPTION.into());
    let mut schema = schema.to_value();
    join_lines(&mut schema);
    schema
}

/// Makes paragraphs of descriptions, which are wrapped as comments in the source.
fn join_lines(node: &mut Value) {
    match node {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) if key == "description" => {
                        let paragraphs: Vec<_> =
                            text.split("\n\n").map(|it| it.replace('\n', " ")).collect();
                        *text = paragraphs.join("\n\n");
                    }
                    value => join_lines(value),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(join_lines),
        _ => {}
    }
}

const DESCRIPTION: &str = "Configuration of the live streaming server srs, see srs.toml(5)";
