//! The time of publication, written into each message, so that whoever receives it can tell how
//! long it was on its way.

use srs_rtmp::MediaKind;

use super::moment::Moment;

/// Writes a stamp of [`LEN`] bytes at the beginning of `place`.
///
/// # Panics
/// If there is no room for it.
pub(super) fn write(at: Moment, place: &mut [u8]) {
    let (mark, time) = place[..LEN].split_at_mut(MARK.len());
    mark.copy_from_slice(&MARK);
    time.copy_from_slice(&at.nanos().to_be_bytes());
}

/// The stamp in a message's payload; `None` if it has none: headers, metadata, and everything that
/// others publish.
pub(super) fn read(kind: MediaKind, payload: &[u8]) -> Option<Moment> {
    let stamp = payload.get(offset(kind)?..)?;
    let time = stamp.strip_prefix(&MARK)?.first_chunk()?;
    Some(Moment::from_nanos(u64::from_be_bytes(*time)))
}

/// Where the stamp of a message stands in its payload.
pub(super) fn offset(kind: MediaKind) -> Option<usize> {
    match kind {
        MediaKind::Audio => Some(AUDIO_HEADER_LEN),
        // Behind the length and the first byte of a NAL unit.
        MediaKind::Video => Some(VIDEO_HEADER_LEN + 5),
        MediaKind::Data => None,
    }
}

/// The length of a stamp, in bytes.
pub(super) const LEN: usize = 16;
/// The tag header of AAC (FLV, E.4.2.1).
pub(super) const AUDIO_HEADER_LEN: usize = 2;
/// The tag header of H.264 (FLV, E.4.3.1).
pub(super) const VIDEO_HEADER_LEN: usize = 5;
/// What a stamp begins with. Chance does not make it.
const MARK: [u8; 8] = *b"SRSBENCH";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_where_it_was_written() {
        let at = Moment::from_nanos(0x0123_4567_89AB_CDEF);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let offset = offset(kind).unwrap();
            let mut payload = vec![0xFF; offset + LEN];
            assert_eq!(read(kind, &payload), None);
            write(at, &mut payload[offset..]);
            assert_eq!(read(kind, &payload), Some(at));
            for cut in 0..payload.len() {
                assert_eq!(read(kind, &payload[..cut]), None, "cut at {cut}");
            }
        }
    }

    #[test]
    fn data_has_no_stamp() {
        assert_eq!(read(MediaKind::Data, &[0; 100]), None);
    }
}
