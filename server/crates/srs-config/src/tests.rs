//! Tests of the configuration as a whole: its files, its messages, its documentation.

use std::path::PathBuf;

mod differences;
mod documentation;
mod effective;
mod environment;
mod examples;
mod files;
mod lookup;
mod merging;
mod messages;
mod schema;
mod typos;

/// A file or folder of the source tree.
fn tree(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .join(path)
}

/// What a file of the source tree says.
fn read(path: &str) -> String {
    let path = tree(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder of the source tree that end in `.toml`, in order.
fn toml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(tree(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}
