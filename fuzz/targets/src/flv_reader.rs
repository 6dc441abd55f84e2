//! Any bytes as an FLV file.

use bytes::BytesMut;
use srs_media::flv::{self, Error, Header, Limits, Reader, Tag};
use srs_media::{Timestamp, Track};

use crate::input::{Input, Pieces};

/// Reads the bytes. Tags and error do not depend on the split; the tags are the same when they are
/// written and read again, as a file and as packets.
pub fn flv_reader(data: &[u8]) {
    let Some(mut input) = Input::new(data) else {
        return;
    };
    let limits = if input.answers.yes() {
        Limits::default()
    } else {
        Limits { tag_payload: 300 }
    };
    let whole = read(&limits, input.bytes, Pieces::Whole);
    let split = read(&limits, input.bytes, input.pieces);
    assert_eq!(whole, split);

    if let Err(Error::Truncated { offset, .. }) = whole.end {
        assert_eq!(offset, input.bytes.len() as u64);
    }
    for tag in &whole.tags {
        assert!(tag.payload.len() <= limits.tag_payload);
    }
    if let Some(header) = whole.header {
        check_file(&header, &whole.tags);
    }
    check_packets(whole.tags);
}

#[derive(Debug, PartialEq)]
struct File {
    header: Option<Header>,
    tags: Vec<Tag>,
    wrong_sizes: u64,
    end: Result<(), Error>,
}

fn read(limits: &Limits, mut rest: &[u8], mut pieces: Pieces) -> File {
    let mut reader = Reader::new(limits.clone());
    let (mut inbox, mut tags, mut end) = (BytesMut::new(), Vec::new(), Ok(()));
    while end.is_ok() && pieces.feed(&mut rest, &mut inbox) {
        end = loop {
            match reader.read(&mut inbox) {
                Ok(Some(tag)) => tags.push(tag),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
    }
    File {
        header: reader.header(),
        tags,
        wrong_sizes: reader.wrong_sizes(),
        end: end.and_then(|()| reader.finish(&inbox)),
    }
}

fn check_file(header: &Header, tags: &[Tag]) {
    let mut bytes = BytesMut::new();
    flv::write_header(header.has_audio, header.has_video, &mut bytes);
    for tag in tags {
        flv::write_tag(tag, &mut bytes).expect("a tag that was read fits");
    }
    let written = read(&Limits::default(), &bytes, Pieces::Whole);
    let expected = File {
        header: Some(Header {
            version: 1,
            ..*header
        }),
        tags: tags.to_vec(),
        wrong_sizes: 0,
        end: Ok(()),
    };
    assert_eq!(written, expected);
}

fn check_packets(tags: Vec<Tag>) {
    let mut time = Timestamp::ZERO;
    for tag in tags {
        let packet = tag.clone().into_packet(time);
        assert_eq!(packet.timestamp.wire(), tag.timestamp);
        time = packet.timestamp;
        let back = Tag::from(packet.clone());
        assert_eq!(back.tag_type, tag.tag_type);
        // Of data the publisher's word to the server is left out.
        if packet.track != Track::Data {
            assert_eq!(back.payload, tag.payload);
        }
    }
}
