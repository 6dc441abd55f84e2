//! The packets of a file, and whether they are those that were published.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};

/// What a packet carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One coded picture.
    Video,
    /// One coded piece of sound.
    Audio,
}

/// One packet as a container gives it: coded bytes and their times.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// Picture or sound.
    pub kind: Kind,
    /// Decoding time, in the container's unit (FLV: milliseconds).
    pub dts: i64,
    /// Presentation time, in the container's unit.
    pub pts: i64,
    /// Whether decoding can start here; always true for sound.
    pub is_key_frame: bool,
    /// Bytes of payload.
    pub size: usize,
    /// MD5 of the payload.
    pub hash: String,
}

/// The packets of a file in its order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packets(Vec<Packet>);

/// Where received packets lie in those published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// Received time minus published time, in milliseconds; one for all packets.
    pub offset: i64,
    /// Which of the published pictures came, counted from 0.
    pub video: Range<usize>,
    /// Which of the published pieces of sound came, counted from 0.
    pub audio: Range<usize>,
}

impl Packets {
    /// These packets.
    #[must_use]
    pub fn new(packets: Vec<Packet>) -> Self {
        Self(packets)
    }

    /// All packets.
    pub fn iter(&self) -> impl Iterator<Item = &Packet> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pictures.
    #[must_use]
    pub fn video(&self) -> Vec<&Packet> {
        self.of(Kind::Video)
    }

    /// The pieces of sound.
    #[must_use]
    pub fn audio(&self) -> Vec<&Packet> {
        self.of(Kind::Audio)
    }

    /// How often the payload of `packet` is among them, whatever its time.
    #[must_use]
    pub fn count(&self, packet: &Packet) -> usize {
        self.of(packet.kind)
            .into_iter()
            .filter(|other| other.hash == packet.hash)
            .count()
    }

    /// Whether the payload of `packet` is among them, whatever its time.
    #[must_use]
    pub fn contains(&self, packet: &Packet) -> bool {
        self.count(packet) > 0
    }

    /// Checks that these are packets of `published` as they were, without a gap, and that picture
    /// and sound are in step: all times moved by the same offset.
    ///
    /// # Errors
    /// If not, with the first packet that differs.
    pub fn run_of(&self, published: &Self) -> Result<Run> {
        let leading = if self.video().is_empty() {
            Kind::Audio
        } else {
            Kind::Video
        };
        let ours = self.of(leading);
        let first = *ours.first().context("nothing was received")?;
        // Silence is coded the same every time, so a hash alone does not tell the place.
        let mut result = Err(anyhow::anyhow!(
            "nobody published the first packet, {first:?}"
        ));
        for place in published
            .of(leading)
            .into_iter()
            .filter(|place| place.hash == first.hash)
        {
            result = self.run_at(first.dts - place.dts, published);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Checks that within pictures, and within sound, no decoding time is before an earlier one.
    ///
    /// # Errors
    /// If one is, with both packets.
    pub fn check_times_never_go_back(&self) -> Result<()> {
        for packets in [self.video(), self.audio()] {
            for pair in packets.windows(2) {
                ensure!(
                    pair[0].dts <= pair[1].dts,
                    "{:?} comes after {:?}",
                    pair[1],
                    pair[0]
                );
            }
        }
        Ok(())
    }

    fn run_at(&self, offset: i64, published: &Self) -> Result<Run> {
        let video = run(&self.video(), &published.video(), offset)?;
        let audio = run(&self.audio(), &published.audio(), offset)?;
        Ok(Run {
            offset,
            video,
            audio,
        })
    }

    fn of(&self, kind: Kind) -> Vec<&Packet> {
        self.0.iter().filter(|packet| packet.kind == kind).collect()
    }
}

/// Which of `published` are `received`, whose times are later by `offset`.
fn run(received: &[&Packet], published: &[&Packet], offset: i64) -> Result<Range<usize>> {
    let Some(first) = received.first() else {
        return Ok(0..0);
    };
    let start = published
        .iter()
        .position(|packet| packet.dts + offset == first.dts)
        .with_context(|| format!("nothing was published at the time of {first:?} - {offset} ms"))?;
    for (number, packet) in received.iter().enumerate() {
        let Some(model) = published.get(start + number) else {
            bail!("more came than was published: {packet:?}");
        };
        let expected = Packet {
            dts: model.dts + offset,
            pts: model.pts + offset,
            ..(*model).clone()
        };
        ensure!(
            **packet == expected,
            "packet {number}: {packet:?} came, expected {expected:?}"
        );
    }
    Ok(start..start + received.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: Kind, dts: i64, hash: &str) -> Packet {
        Packet {
            kind,
            dts,
            pts: dts,
            is_key_frame: true,
            size: 1,
            hash: hash.to_owned(),
        }
    }

    fn clip() -> Vec<Packet> {
        vec![
            packet(Kind::Video, 0, "v0"),
            packet(Kind::Audio, 5, "silence"),
            packet(Kind::Audio, 25, "silence"),
            packet(Kind::Video, 40, "v1"),
            packet(Kind::Audio, 45, "a2"),
        ]
    }

    fn moved(packets: &[Packet], offset: i64) -> Packets {
        let mut packets = packets.to_vec();
        for packet in &mut packets {
            packet.dts += offset;
            packet.pts += offset;
        }
        Packets(packets)
    }

    #[test]
    fn a_part_that_was_moved_as_a_whole_is_a_run() {
        let clip = clip();
        let cases = [
            (
                "all",
                moved(&clip, 7),
                Run {
                    offset: 7,
                    video: 0..2,
                    audio: 0..3,
                },
            ),
            (
                "without the start",
                moved(&clip[2..], -5),
                Run {
                    offset: -5,
                    video: 1..2,
                    audio: 1..3,
                },
            ),
            (
                "sound that repeats itself",
                moved(&clip[4..], 0),
                Run {
                    offset: 0,
                    video: 0..0,
                    audio: 2..3,
                },
            ),
        ];
        for (name, received, expected) in cases {
            assert_eq!(
                received.run_of(&Packets(clip.clone())).unwrap(),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn anything_else_is_not() {
        let clip = clip();
        let mut gap = clip.clone();
        gap.remove(2);
        let mut out_of_step = clip.clone();
        out_of_step[1].dts += 1;
        let mut damaged = clip.clone();
        damaged[3].hash = "other".to_owned();
        let mut too_much = clip.clone();
        too_much.push(packet(Kind::Audio, 60, "a3"));
        for (name, received) in [
            ("gap", gap),
            ("out of step", out_of_step),
            ("damaged", damaged),
            ("too much", too_much),
            ("nothing", vec![]),
        ] {
            assert!(
                Packets(received).run_of(&Packets(clip.clone())).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn times_may_stand_still_but_not_go_back() {
        let same = [
            packet(Kind::Audio, 5, "a"),
            packet(Kind::Video, 4, "v"),
            packet(Kind::Audio, 5, "b"),
        ];
        Packets(same.to_vec()).check_times_never_go_back().unwrap();
        let back = [packet(Kind::Audio, 5, "a"), packet(Kind::Audio, 4, "b")];
        assert!(Packets(back.to_vec()).check_times_never_go_back().is_err());
    }
}
