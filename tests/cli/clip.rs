//! Short clips, cut from the demo, and what is in a file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bytes::BytesMut;
use srs_media::flv::{self, Tag, TagType};
use srs_media::{PacketKind, Timestamp};
use tempfile::TempDir;
use testkit::clips;

/// A file in a folder of its own.
#[derive(Debug)]
pub(crate) struct Clip {
    folder: TempDir,
}

impl Clip {
    /// The first `millis` of the demo.
    pub(crate) fn of(millis: u32) -> Result<Self> {
        let mut file = BytesMut::new();
        flv::write_header(true, true, &mut file);
        for tag in tags(clips::demo())?
            .iter()
            .filter(|tag| tag.timestamp < millis)
        {
            flv::write_tag(tag, &mut file)?;
        }
        Self::new(&file)
    }

    /// A file of these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self> {
        let clip = Self {
            folder: tempfile::tempdir()?,
        };
        fs::write(clip.path(), bytes)?;
        Ok(clip)
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("clip.flv")
    }

    /// The file, as an argument.
    pub(crate) fn argument(&self) -> String {
        argument(&self.path())
    }

    /// Another file in the folder, as an argument.
    pub(crate) fn beside(&self, name: &str) -> String {
        argument(&self.folder.path().join(name))
    }
}

/// The demo, as an argument.
pub(crate) fn demo() -> String {
    argument(&clips::demo())
}

/// A clip's path, as an argument.
pub(crate) fn argument(path: &Path) -> String {
    path.display().to_string()
}

/// The tags of a whole file, or of one that was cut off up to there.
pub(crate) fn tags(file: impl AsRef<Path>) -> Result<Vec<Tag>> {
    let mut bytes = BytesMut::from(fs::read(file)?.as_slice());
    let mut reader = flv::Reader::new(flv::Limits::default());
    let mut tags = Vec::new();
    while let Some(tag) = reader.read(&mut bytes)? {
        tags.push(tag);
    }
    Ok(tags)
}

/// Everything but metadata, which the server changes.
pub(crate) fn media(file: impl AsRef<Path>) -> Result<Vec<Tag>> {
    let mut tags = tags(file)?;
    tags.retain(|tag| tag.tag_type != TagType::Script);
    Ok(tags)
}

/// What `tag` is in its stream.
pub(crate) fn kind(tag: &Tag) -> PacketKind {
    tag.clone().into_packet(Timestamp::ZERO).kind
}
