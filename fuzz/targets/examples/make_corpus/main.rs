//! Writes `fuzz/corpus` anew: `cargo run -p fuzz-targets --example make_corpus`.
//!
//! From the recordings in `tests/captures` come sessions, handshakes, and the messages within them;
//! from `tests/media` comes FLV, from the golden sequence headers the codecs. What no recording has
//! is written out here. Seeds are kept short: a fuzzer works through them a million times. Files
//! called `found_…` are inputs that once failed; they stay.

mod by_hand;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bytes::BytesMut;
use fuzz_targets::input::Input;
use srs_rtmp::Limits;
use srs_rtmp::chunk::ChunkReader;
use srs_rtmp::message::control::Control;
use srs_rtmp::message::{Message, MessageType};

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut corpus = Corpus::default();
    for (name, bytes) in read_folder(&root.join("tests/captures"), &["client", "server"])? {
        add_recording(&mut corpus, &name, &bytes).context(name)?;
    }
    for (name, bytes) in read_folder(&root.join("tests/media"), &["flv"])? {
        let bytes = bytes.get(..4000).unwrap_or(&bytes);
        corpus.add("flv_reader", &name, Input::compose(bytes));
    }
    let golden = root.join("server/crates/srs-media/tests/golden/sequence_headers.txt");
    add_sequence_headers(&mut corpus, &fs::read_to_string(golden)?)?;
    by_hand::add(&mut corpus);
    corpus.write(&root.join("fuzz/corpus"))
}

/// Seeds by target and name.
#[derive(Default)]
struct Corpus(BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>);

impl Corpus {
    fn add(&mut self, target: &'static str, name: &str, seed: Vec<u8>) {
        let seeds = self.0.entry(target).or_default();
        if !seeds.values().any(|other| *other == seed) {
            seeds.insert(name.to_owned(), seed);
        }
    }

    fn write(self, folder: &Path) -> anyhow::Result<()> {
        for (target, seeds) in self.0 {
            let folder = folder.join(target);
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if !entry.file_name().to_string_lossy().starts_with("found_") {
                    fs::remove_file(entry.path())?;
                }
            }
            for (name, seed) in seeds {
                fs::write(folder.join(name), seed)?;
            }
        }
        Ok(())
    }
}

fn add_recording(corpus: &mut Corpus, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(bytes.len() > HANDSHAKE, "too short for a handshake");
    let (handshake, chunks) = bytes.split_at(HANDSHAKE);
    // Players of one make shake hands as its publishers do.
    if name.contains("_play") || name.contains("_pull") {
        // A few bytes behind, which are not for the handshake.
        let seed = [handshake, &chunks[..3]].concat();
        corpus.add("handshake", name, Input::compose(&seed));
    }
    let start = chunks.get(..LONGEST_SESSION).unwrap_or(chunks);
    corpus.add("chunk_reader", name, Input::compose(start));
    let session = if name.ends_with(".client") {
        "server_session"
    } else {
        "client_session"
    };
    let mut seed = Input::compose(start);
    if name.contains("_play.server") || name.contains("_pull.server") {
        // Answers, of which the first is "no": to play and not to publish.
        seed[4] = 0xFE;
    }
    corpus.add(session, name, seed);

    let mut seen = BTreeSet::new();
    for message in messages(chunks)? {
        let (first, message_type) = (first_bytes(&message), message.message_type);
        // One of each kind is enough.
        if !seen.insert((message_type.id(), first)) {
            continue;
        }
        let payload = message.payload.get(..600).unwrap_or(&message.payload);
        let name = format!("{name}.{}", seen.len());
        match message_type {
            MessageType::CommandAmf0 => corpus.add("amf0", &name, [&[0], payload].concat()),
            MessageType::DataAmf0 => {
                corpus.add("amf0", &name, [&[0], payload].concat());
                corpus.add("media", &name, payload.to_vec());
            }
            MessageType::Audio | MessageType::Video => {
                corpus.add("media", &name, payload.to_vec());
            }
            _ => {}
        }
    }
    Ok(())
}

/// By what messages of a type are told apart: the name of a command, the header of a frame.
fn first_bytes(message: &Message) -> Vec<u8> {
    let len = match message.message_type {
        MessageType::Audio | MessageType::Video => 2,
        _ => 20,
    };
    message
        .payload
        .get(..len)
        .unwrap_or(&message.payload)
        .to_vec()
}

fn messages(chunks: &[u8]) -> anyhow::Result<Vec<Message>> {
    let mut reader = ChunkReader::new(Limits::default());
    let (mut input, mut messages) = (BytesMut::from(chunks), Vec::new());
    while let Some(message) = reader.read(&mut input)? {
        if let Some(Control::SetChunkSize(size)) = Control::decode(&message)? {
            reader.set_chunk_size(size)?;
        }
        messages.push(message);
    }
    Ok(messages)
}

/// Takes lines `codec|how it was made|record in hex|…`.
fn add_sequence_headers(corpus: &mut Corpus, text: &str) -> anyhow::Result<()> {
    for (number, line) in text.lines().enumerate() {
        let mut fields = line.split('|');
        let codec = fields.next().unwrap_or_default();
        let record = fields
            .nth(1)
            .with_context(|| format!("line {number} has no record"))?;
        let record = from_hex(record).with_context(|| format!("line {number}"))?;
        if record.len() > LONGEST_RECORD {
            continue;
        }
        let header: &[u8] = match codec {
            "avc" => &[0x17, 0, 0, 0, 0],
            "hevc" => b"\x90hvc1",
            "av1" => b"\x90av01",
            "vp8" => b"\x90vp08",
            "vp9" => b"\x90vp09",
            "aac" => &[0xAF, 0],
            "opus" => b"\x90Opus",
            _ => continue,
        };
        let name = format!("sequence_header.{codec}.{number}");
        corpus.add("media", &name, [header, &record].concat());
    }
    Ok(())
}

fn from_hex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(str::from_utf8);
    digits
        .map(|two| Ok(u8::from_str_radix(two?, 16)?))
        .collect()
}

/// Files of a folder by name, if they end like this.
fn read_folder(folder: &Path, endings: &[&str]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    paths.sort();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|end| endings.iter().any(|e| end == *e))
    });
    let read = |path: PathBuf| {
        let name = path
            .file_name()
            .context("a file has a name")?
            .to_string_lossy()
            .into_owned();
        Ok((name, fs::read(path)?))
    };
    paths.into_iter().map(read).collect()
}

/// What either side sends before the first chunk.
const HANDSHAKE: usize = 1 + 2 * 1536;
/// All commands, and the first frames.
const LONGEST_SESSION: usize = 5000;
/// Some encoders put a kilobyte of text into theirs.
const LONGEST_RECORD: usize = 500;
