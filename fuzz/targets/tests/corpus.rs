//! Runs every file of `fuzz/corpus` through its target, as libFuzzer would, and checks that all
//! that belongs to a target is there.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz_targets::TARGETS;

#[test]
fn every_committed_input_passes_its_target() {
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let files = files(&fuzz().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let data = fs::read(&file).unwrap();
            if catch_unwind(|| target(&data)).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn any_short_input_passes_every_target() {
    for (_, target) in TARGETS {
        for byte in 0..=u8::MAX {
            for len in 0..20 {
                target(&vec![byte; len]);
            }
        }
    }
}

#[test]
fn every_target_has_a_program_and_every_folder_a_target() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let program = format!("fuzz_targets/{name}.rs");
        assert!(fuzz().join(&program).exists(), "{program}");
        assert!(
            manifest.contains(&format!("path = \"{program}\"")),
            "{program}"
        );
    }
    for folder in ["corpus", "fuzz_targets"] {
        for path in files(&fuzz().join(folder)) {
            let name = path.file_stem().unwrap();
            let is_known = TARGETS.iter().any(|(known, _)| name == *known);
            assert!(is_known, "{}", path.display());
        }
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry of a folder").path())
        .collect();
    files.sort();
    files
}
