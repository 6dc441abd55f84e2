//! Writes what the dashboard was told into the settings file, and leaves the rest as it is.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{Settings, is_missing, text};

/// Sets `keys` of the table `[top]` in the settings file. Comments, order and everything else stay;
/// a file that is not there is made, for the user alone.
///
/// # Errors
/// The file cannot be read or written, or is no TOML; it is then as it was.
pub(crate) fn save_top(keys: &[(&str, toml::Value)]) -> io::Result<()> {
    save(&Settings::path(), keys)
}

fn save(path: &Path, keys: &[(&str, toml::Value)]) -> io::Result<()> {
    let before = match text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let after = with(&before, keys)?;
    if after == before {
        return Ok(());
    }
    // Where the file is a link, as some keep their settings, the link stays.
    match fs::canonicalize(path) {
        Ok(path) => replace(&path, &after),
        Err(error) if is_missing(&error) => replace(path, &after),
        Err(error) => Err(error),
    }
}

/// `text` with `keys` in its table `[top]`.
fn with(text: &str, keys: &[(&str, toml::Value)]) -> io::Result<String> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| invalid(error.to_string()))?;
    let top = document
        .entry("top")
        .or_insert_with(|| Item::Table(Table::new()));
    let top = top
        .as_table_like_mut()
        .ok_or_else(|| invalid("`top` is no table".to_owned()))?;
    for (key, value) in keys {
        set(top, key, value);
    }
    Ok(document.to_string())
}

/// Sets `key` of `table`. What is so already stays as it is written.
fn set(table: &mut dyn TableLike, key: &str, value: &toml::Value) {
    let Some(item) = table.get_mut(key) else {
        table.insert(key, Item::Value(of(value)));
        return;
    };
    if let (toml::Value::Table(wanted), Some(section)) = (value, item.as_table_like_mut()) {
        let known: Vec<String> = section.iter().map(|(key, _)| key.to_owned()).collect();
        for key in known.iter().filter(|key| !wanted.contains_key(*key)) {
            section.remove(key);
        }
        for (key, value) in wanted {
            set(section, key, value);
        }
        return;
    }
    let mut new = of(value);
    if let Some(old) = item.as_value() {
        if is_same(old, value) {
            return;
        }
        // Blanks around it, and the comment behind it.
        *new.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(new);
}

/// Whether a value is what it is to be, however it is written. What is not compared is not.
fn is_same(old: &Value, value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => old.as_str() == Some(text),
        toml::Value::Integer(number) => old.as_integer() == Some(*number),
        toml::Value::Boolean(is_on) => old.as_bool() == Some(*is_on),
        toml::Value::Array(values) => old.as_array().is_some_and(|array| {
            let pairs = array.iter().zip(values);
            array.len() == values.len() && { pairs }.all(|(old, value)| is_same(old, value))
        }),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => false,
    }
}

fn of(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(is_on) => Value::from(*is_on),
        toml::Value::Datetime(time) => Value::from(*time),
        toml::Value::Array(values) => Value::from(values.iter().map(of).collect::<Array>()),
        toml::Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| (key.as_str(), of(value)));
            Value::from(entries.collect::<InlineTable>())
        }
    }
}

/// Puts `text` at `path`, whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| ".".as_ref());
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)?;
    let permissions = fs::metadata(path)
        .map(|metadata| metadata.permissions())
        .ok();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = folder.join(name);
    let written = write(&new, text, permissions).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It may not even have been made.
        let _ = fs::remove_file(&new);
    }
    written
}

fn write(path: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    // One that an earlier process of this number left is in the way.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.set_permissions(Permissions::from_mode(permissions.mode() & 0o777))?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(name: &str) -> (&'static str, toml::Value) {
        ("theme", toml::Value::String(name.to_owned()))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn comments_and_order_stay() {
        let before = "\
# Mine.
[top] # The dashboard.
interval = \"1s\"   # as often as it can be
theme = 'default' # dark
# The end of it.

[servers.a] # the only one
address = \"a:1\"
";
        let expected = "\
# Mine.
[top] # The dashboard.
interval = \"1s\"   # as often as it can be
theme = \"light\" # dark
bell = false
# The end of it.

[servers.a] # the only one
address = \"a:1\"
";
        let keys = [theme("light"), ("bell", toml::Value::Boolean(false))];
        let after = with(before, &keys).unwrap();
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&after), sorted(expected), "{after}");
        assert!(after.starts_with("# Mine.\n[top] # The dashboard.\ninterval"));
    }

    #[test]
    fn a_section_stays_one_with_its_comments() {
        let before = "\
[top]
theme = 'dark' # at night

# What I want to see.
[top.columns]
# Of streams: little.
streams = [
    \"name\", # who
    \"out\",
] # that is all
clients = [\"ip\"] # where from
vhosts = ['name']
";
        let list = |keys: &[&str]| {
            let keys = keys
                .iter()
                .map(|key| toml::Value::String((*key).to_owned()));
            toml::Value::Array(keys.collect())
        };
        let columns = [
            ("streams".to_owned(), list(&["name", "out"])),
            ("clients".to_owned(), list(&["ip", "lag"])),
            ("fleet".to_owned(), list(&["name"])),
        ];
        let columns = toml::Value::Table(columns.into_iter().collect());
        let after = with(before, &[("columns", columns)]).unwrap();
        let expected = before
            .replace("[\"ip\"]", "[\"ip\", \"lag\"]")
            .replace("vhosts = ['name']", "fleet = [\"name\"]");
        assert_eq!(after, expected);
    }

    #[test]
    fn the_table_is_made_where_there_is_none() {
        let columns = toml::Value::Array(vec!["a".into(), 1.into()]);
        let cases = [
            ("", "[top]\ntheme = \"light\"\ncolumns = [\"a\", 1]\n"),
            (
                "top = { bell = true }\n",
                "top = { bell = true , theme = \"light\", columns = [\"a\", 1] }\n",
            ),
        ];
        for (before, expected) in cases {
            let after = with(before, &[theme("light"), ("columns", columns.clone())]).unwrap();
            let [after, expected] =
                [after.as_str(), expected].map(|text| text.parse::<toml::Table>().unwrap());
            assert_eq!(after, expected);
        }
        for text in ["top = 1", "top = "] {
            let error = with(text, &[theme("light")]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn the_file_is_for_the_user_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/srsctl/config.toml");
        save(&path, &[theme("light")]).unwrap();
        assert_eq!(mode(&path), 0o600);
        for folder in path.ancestors().skip(1).take(2) {
            assert_eq!(mode(folder), 0o700);
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "[top]\ntheme = \"light\"\n"
        );
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        save(&path, &[theme("dark")]).unwrap();
        assert_eq!(mode(&path), 0o644);
        let names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["config.toml"], "nothing else is left");
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let [link, file] = ["config.toml", "mine.toml"].map(|name| folder.path().join(name));
        fs::write(&file, "# mine\n").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save(&link, &[theme("light")]).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("# mine\n"), "{text}");
        assert!(text.contains("theme = \"light\""), "{text}");
    }

    #[test]
    fn a_file_that_is_wrong_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[top\n").unwrap();
        assert!(save(&path, &[theme("light")]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[top\n");
    }
}
