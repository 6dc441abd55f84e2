//! The tags of an FLV file, read ahead on a thread of its own.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;
use std::thread;

use bytes::{BufMut as _, Bytes, BytesMut};
use srs_media::flv::{self, Tag};
use srs_media::{Metadata, Packet, PacketKind, Timestamp, Track};
use srs_rtmp::MediaKind;
use tokio::sync::mpsc;

/// Why a file cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    #[error("cannot be read at byte {offset}")]
    Read {
        offset: u64,
        #[source]
        error: io::Error,
    },
    #[error("cannot be read from its start again")]
    Rewind(#[source] io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("not an FLV file, at byte 0")]
    NotFlv(#[source] flv::Error),
    #[error("there is neither audio nor video in it")]
    NoMedia,
    /// As before, of a file that was cut off.
    #[error("there is neither audio nor video in it")]
    NoMediaIn(#[source] flv::Error),
}

/// What comes out of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The next tag.
    Tag(Tag),
    /// The file is over; if it is to be repeated its first tag is next.
    End {
        /// It ended within something.
        truncated: Option<flv::Error>,
    },
}

/// An open file with at least one frame in it.
#[derive(Debug)]
pub(crate) struct Source {
    /// What was looked at already.
    ahead: VecDeque<Item>,
    items: mpsc::Receiver<Result<Item, SourceError>>,
}

impl Source {
    /// Opens the file at `path` and reads up to the first frame.
    ///
    /// # Errors
    /// [`SourceError`]: there is nothing to publish in it.
    pub(crate) async fn open(path: &Path, repeat: bool) -> Result<Self, SourceError> {
        let path = path.to_owned();
        let (sender, items) = mpsc::channel(READ_AHEAD);
        thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || {
                if let Err(error) = read(&path, repeat, &sender) {
                    // Nobody waits for it if the program is about to end anyway.
                    let _ = sender.blocking_send(Err(error));
                }
            })
            .map_err(SourceError::Open)?;
        let mut source = Self {
            ahead: VecDeque::new(),
            items,
        };
        source.look_for_media().await?;
        Ok(source)
    }

    async fn look_for_media(&mut self) -> Result<(), SourceError> {
        // Nothing paces what has no frames, and to repeat it would be endless.
        while self.ahead.len() < READ_AHEAD {
            match self.items.recv().await.transpose()? {
                None | Some(Item::End { truncated: None }) => break,
                Some(Item::End {
                    truncated: Some(error),
                }) => {
                    return Err(SourceError::NoMediaIn(error));
                }
                Some(Item::Tag(tag)) => {
                    let is_frame = is_frame(&tag.clone().into_packet(Timestamp::ZERO));
                    self.ahead.push_back(Item::Tag(tag));
                    if is_frame {
                        return Ok(());
                    }
                }
            }
        }
        Err(SourceError::NoMedia)
    }

    /// The next item; `None` when the file is over. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Result<Item, SourceError>> {
        match self.ahead.pop_front() {
            Some(item) => Some(Ok(item)),
            None => self.items.recv().await,
        }
    }
}

/// Reads the file once, or again and again, for as long as somebody takes what comes out of it.
fn read(
    path: &Path,
    repeat: bool,
    items: &mpsc::Sender<Result<Item, SourceError>>,
) -> Result<(), SourceError> {
    let mut file = File::open(path).map_err(SourceError::Open)?;
    loop {
        let mut reader = flv::Reader::new(flv::Limits::default());
        let mut inbox = BytesMut::new();
        let mut offset = 0;
        loop {
            while let Some(tag) = reader.read(&mut inbox).map_err(SourceError::NotFlv)? {
                if items.blocking_send(Ok(Item::Tag(tag))).is_err() {
                    return Ok(());
                }
            }
            let read = read_some(&mut file, &mut inbox)
                .map_err(|error| SourceError::Read { offset, error })?;
            offset += read;
            if read == 0 {
                break;
            }
        }
        if offset == 0 {
            return Err(SourceError::Empty);
        }
        let truncated = reader.finish(&inbox).err();
        let end = Item::End { truncated };
        if items.blocking_send(Ok(end)).is_err() || !repeat {
            return Ok(());
        }
        file.rewind().map_err(SourceError::Rewind)?;
    }
}

/// Appends some of `file` to `inbox` and says how many bytes.
fn read_some(file: &mut File, inbox: &mut BytesMut) -> io::Result<u64> {
    let mut chunk = file.take(READ_SIZE);
    let mut out = inbox.writer();
    io::copy(&mut chunk, &mut out)
}

/// Whether `packet` is sound or a picture, and nothing about them.
pub(crate) fn is_frame(packet: &Packet) -> bool {
    matches!(packet.kind, PacketKind::Frame | PacketKind::KeyFrame) && packet.track != Track::Data
}

/// The message that publishes `packet`.
pub(crate) fn message(packet: &Packet) -> (MediaKind, Bytes) {
    match (packet.track, packet.kind) {
        (Track::Audio, _) => (MediaKind::Audio, packet.payload.clone()),
        (Track::Video, _) => (MediaKind::Video, packet.payload.clone()),
        (Track::Data, PacketKind::Metadata) => (MediaKind::Data, live_metadata(&packet.payload)),
        (Track::Data, _) => (MediaKind::Data, packet.payload.clone()),
    }
}

/// The metadata of a file as that of a live stream: set for players to come, and without what is
/// true of the file alone. An index of key frames would be long enough to be refused.
fn live_metadata(body: &Bytes) -> Bytes {
    let properties = match Metadata::decode(body) {
        Ok(of_file) => {
            let mut live = Metadata::new();
            for (key, value) in of_file.properties().iter() {
                if !OF_FILES.contains(&key) {
                    live.insert(key, value.clone());
                }
            }
            live.encode()
        }
        // Others may understand what we do not.
        Err(_) => body.clone(),
    };
    [SET_DATA_FRAME, &properties].concat().into()
}

/// Properties that say where something is in a file, and how long it is.
const OF_FILES: [&str; 13] = [
    "duration",
    "filesize",
    "datasize",
    "videosize",
    "audiosize",
    "keyframes",
    "hasKeyframes",
    "hasCuePoints",
    "cuePoints",
    "canSeekToEnd",
    "lasttimestamp",
    "lastkeyframetimestamp",
    "lastkeyframelocation",
];

/// The AMF0 string that tells a server to keep what follows.
pub(crate) const SET_DATA_FRAME: &[u8] = b"\x02\0\x0D@setDataFrame";
/// Tags that may wait to be sent: seconds of media.
const READ_AHEAD: usize = 256;
/// Bytes read at once.
const READ_SIZE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;

    use srs_media::flv::TagType;
    use testkit::clips;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// Everything in a file of these bytes; an error as its whole text.
    fn items(bytes: &[u8], repeat: bool, most: usize) -> Result<Vec<Item>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.flv");
        fs::write(&path, bytes).unwrap();
        block_on(async {
            let mut source = Source::open(&path, repeat).await?;
            let mut items = Vec::new();
            while items.len() < most
                && let Some(item) = source.next().await
            {
                items.push(item?);
            }
            Ok(items)
        })
        .map_err(|error: SourceError| format!("{:#}", anyhow::Error::from(error)))
    }

    fn clip(tags: &[(TagType, &'static [u8])]) -> BytesMut {
        let mut file = BytesMut::new();
        flv::write_header(true, true, &mut file);
        for (tag_type, payload) in tags {
            let payload = Bytes::from_static(payload);
            flv::write_tag(
                &Tag {
                    tag_type: *tag_type,
                    timestamp: 0,
                    payload,
                },
                &mut file,
            )
            .unwrap();
        }
        file
    }

    #[test]
    fn a_file_is_read_to_its_end() {
        let demo = fs::read(clips::demo()).unwrap();
        let items = items(&demo, false, usize::MAX).unwrap();
        let (end, tags) = items.split_last().unwrap();
        assert_eq!(*end, Item::End { truncated: None });
        let video = |item: &&Item| matches!(item, Item::Tag(tag) if tag.tag_type == TagType::Video);
        // 250 pictures, a header and an end.
        assert_eq!(tags.iter().filter(video).count(), 252);
    }

    #[test]
    fn a_file_that_is_repeated_begins_again() {
        let clip = clip(&[
            (TagType::Audio, &[0xAF, 1, 1]),
            (TagType::Video, &[0x27, 1, 0, 0, 0]),
        ]);
        let items = items(&clip, true, 7).unwrap();
        assert_eq!(items[2], Item::End { truncated: None });
        assert_eq!(items[..3], items[3..6]);
        assert_eq!(items[0], items[6]);
    }

    #[test]
    fn a_file_that_was_cut_off_gives_what_there_is() {
        let clip = clip(&[
            (TagType::Audio, &[0xAF, 1, 1]),
            (TagType::Audio, &[0xAF, 1, 2, 3]),
        ]);
        let items = items(&clip[..clip.len() - 6], false, usize::MAX).unwrap();
        let truncated = flv::Error::Truncated {
            offset: clip.len() as u64 - 6,
            within: "a tag",
        };
        assert_eq!(items.len(), 2);
        assert_eq!(
            items[1],
            Item::End {
                truncated: Some(truncated)
            }
        );
    }

    #[test]
    fn what_cannot_be_published_is_told_before_it_is_tried() {
        let script = clip(&[(TagType::Script, b"\x02\0\x01a")]);
        let header = clip(&[(TagType::Audio, &[0xAF, 0, 0x12, 0x10])]);
        let cases: [(&str, &[u8], &str); 6] = [
            ("nothing", b"", "the file is empty"),
            (
                "text",
                b"once upon a time",
                r#"not an FLV file, at byte 0: expected the signature FLV, "onc" came"#,
            ),
            (
                "the start of a header",
                b"FLV\x01",
                "there is neither audio nor video in it: \
                 the data ends at byte 4, within the file header",
            ),
            (
                "only a header",
                &script[..13],
                "there is neither audio nor video in it",
            ),
            (
                "only a sequence header",
                &header,
                "there is neither audio nor video in it",
            ),
            (
                "only script data",
                &script,
                "there is neither audio nor video in it",
            ),
        ];
        for (name, bytes, message) in cases {
            assert_eq!(
                items(bytes, true, usize::MAX).unwrap_err(),
                message,
                "{name}"
            );
        }
    }

    #[test]
    fn metadata_of_a_stream_says_nothing_of_the_file() {
        let mut metadata = Metadata::new();
        metadata.insert("duration", 10.0);
        metadata.insert("width", 640.0);
        metadata.insert("keyframes", "an index");
        let tag = Tag {
            tag_type: TagType::Script,
            timestamp: 0,
            payload: metadata.encode(),
        };
        let (kind, payload) = message(&tag.into_packet(Timestamp::ZERO));
        assert_eq!(kind, MediaKind::Data);
        assert!(payload.starts_with(SET_DATA_FRAME));
        let live = Metadata::decode(&payload).unwrap();
        let keys: Vec<&str> = live.properties().iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["width"]);
    }
}
