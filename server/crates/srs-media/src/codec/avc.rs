//! H.264: the decoder configuration record.
//!
//! Follows ISO/IEC 14496-15, 5.3.3.1.2 (`AVCDecoderConfigurationRecord`); the parameter sets in it
//! follow ITU-T H.264, 7.3.2.1.

mod sps;

use std::fmt;

use bytes::Bytes;

pub use self::sps::Sps;
use crate::bits::{BitReader, FieldError};

/// What a decoder must know before the first frame, from an H.264 sequence header.
///
/// Parameter sets are slices of the record: nothing is copied. The Display form is for logs:
/// `H.264 High 4.0 1280x720`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// Profile and constraints.
    pub profile: Profile,
    /// Level.
    pub level: Level,
    /// Bytes of the length before each NAL unit of a frame: 1, 2 or 4.
    pub nal_length_size: usize,
    /// Sequence parameter sets, NAL header included; none if the encoder sends them with the
    /// frames only.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL header included.
    pub pps: Vec<Bytes>,
}

impl DecoderConfig {
    /// Reads a configuration record: the payload of a sequence header, after its tag header.
    ///
    /// Any number of parameter sets is accepted. What follows them (chroma format and extensions of
    /// the High profiles) is left aside: encoders often omit it, and the SPS says the same.
    ///
    /// # Errors
    /// [`FieldError`] if the record is not of version 1, is cut short, or asks for lengths of three
    /// bytes. The parameter sets' contents are not looked at.
    pub fn parse(record: &Bytes) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(record);
        let version = reader.byte("configurationVersion")?;
        if version != 1 {
            return Err(FieldError::unexpected(
                "configurationVersion",
                version.into(),
                "1",
            ));
        }
        let profile_idc = reader.byte("AVCProfileIndication")?;
        let constraints = reader.byte("profile_compatibility")?;
        let level_idc = reader.byte("AVCLevelIndication")?;
        reader.skip(6, "reserved")?;
        let nal_length_size = match reader.bits(2, "lengthSizeMinusOne")? {
            0 => 1,
            1 => 2,
            3 => 4,
            value => {
                return Err(FieldError::unexpected(
                    "lengthSizeMinusOne",
                    value,
                    "0, 1 or 3",
                ));
            }
        };
        reader.skip(3, "reserved")?;
        let sps_count = reader.bits(5, "numOfSequenceParameterSets")?;
        let sps = (0..sps_count)
            .map(|_| parameter_set(record, &mut reader, "sequenceParameterSet"))
            .collect::<Result<_, _>>()?;
        let pps_count = reader.bits(8, "numOfPictureParameterSets")?;
        let pps = (0..pps_count)
            .map(|_| parameter_set(record, &mut reader, "pictureParameterSet"))
            .collect::<Result<_, _>>()?;
        let profile = Profile {
            idc: profile_idc,
            constraints,
        };
        let level = Level::new(level_idc, profile);
        Ok(Self {
            profile,
            level,
            nal_length_size,
            sps,
            pps,
        })
    }

    /// Decodes the first sequence parameter set; `None` if there is none.
    ///
    /// # Errors
    /// As [`Sps::parse`].
    pub fn first_sps(&self) -> Option<Result<Sps, FieldError>> {
        self.sps.first().map(|unit| Sps::parse(unit))
    }
}

impl fmt::Display for DecoderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H.264 {} {}", self.profile, self.level)?;
        match self.first_sps() {
            Some(Ok(sps)) => write!(f, " {}", sps.resolution),
            Some(Err(_)) | None => Ok(()),
        }
    }
}

/// Takes one parameter set, preceded by its length in two bytes, out of a configuration record that
/// `reader` reads.
pub(super) fn parameter_set(
    record: &Bytes,
    reader: &mut BitReader<'_>,
    field: &'static str,
) -> Result<Bytes, FieldError> {
    let len = [reader.byte(field)?, reader.byte(field)?];
    let start = reader.position() / 8;
    let unit = reader.bytes(u16::from_be_bytes(len).into(), field)?;
    Ok(record.slice(start..start + unit.len()))
}

/// A profile of H.264 (Annex A), Displayed by its name in the standard: `High`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// `profile_idc`.
    pub idc: u8,
    /// The byte of `constraint_set0_flag` (the highest bit) to `constraint_set5_flag`.
    pub constraints: u8,
}

impl Profile {
    const fn is_constrained_by(self, set: u8) -> bool {
        self.constraints & (0x80 >> set) != 0
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.idc {
            44 => "CAVLC 4:4:4 Intra",
            66 if self.is_constrained_by(1) => "Constrained Baseline",
            66 => "Baseline",
            77 => "Main",
            83 => "Scalable Baseline",
            86 => "Scalable High",
            88 => "Extended",
            100 if self.is_constrained_by(4) && self.is_constrained_by(5) => "Constrained High",
            100 if self.is_constrained_by(4) => "Progressive High",
            100 => "High",
            110 if self.is_constrained_by(3) => "High 10 Intra",
            110 => "High 10",
            118 => "Multiview High",
            122 if self.is_constrained_by(3) => "High 4:2:2 Intra",
            122 => "High 4:2:2",
            128 => "Stereo High",
            244 if self.is_constrained_by(3) => "High 4:4:4 Intra",
            244 => "High 4:4:4 Predictive",
            idc => return write!(f, "profile {idc}"),
        })
    }
}

/// A level of H.264 (Annex A): a bound on size and rate. Displayed as `4.0` or `1b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Level {
    /// `level_idc`: ten times the level's number; 9 for level 1b.
    pub idc: u8,
}

impl Level {
    /// The profiles of 2003 say level 1b as 11 with `constraint_set3_flag` (A.3.1), the later ones
    /// as 9.
    const fn new(idc: u8, profile: Profile) -> Self {
        match (idc, profile.idc) {
            (11, 66 | 77 | 88) if profile.is_constrained_by(3) => Self { idc: 9 },
            _ => Self { idc },
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.idc {
            9 => f.write_str("1b"),
            idc => write!(f, "{}.{}", idc / 10, idc % 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 640x360, from libx264; the first two bytes of every unit are what the tests tell them by.
    const SPS: &[u8] = &[
        0x67, 0x64, 0x00, 0x1E, 0xAC, 0xD9, 0x40, 0xA0, 0x2F, 0xF9, 0x70, 0x11, 0x00, 0x00, 0x03,
        0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0F, 0x16, 0x2D, 0x96,
    ];

    /// A record of the High profile, level 3.0, with these parameter sets.
    fn record(sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
        let mut record = vec![1, 0x64, 0x00, 0x1E, 0xFF];
        for (reserved, units) in [(0xE0, sps), (0x00, pps)] {
            record.push(reserved | u8::try_from(units.len()).unwrap());
            for unit in units {
                record.extend(u16::try_from(unit.len()).unwrap().to_be_bytes());
                record.extend(*unit);
            }
        }
        record
    }

    fn parse(record: &[u8]) -> Result<DecoderConfig, FieldError> {
        DecoderConfig::parse(&Bytes::copy_from_slice(record))
    }

    #[test]
    fn any_number_of_parameter_sets_is_accepted() {
        type Units = &'static [&'static [u8]];
        let cases: [(&str, Units, Units); 5] = [
            ("one of each", &[SPS], &[b"\x68\xEE"]),
            ("none", &[], &[]),
            ("several PPS", &[SPS], &[b"\x68\x01\x02", b"", b"\x68"]),
            ("several SPS", &[SPS, SPS, &[0x67]], &[b"\x68"]),
            ("no PPS", &[SPS], &[]),
        ];
        for (name, sps, pps) in cases {
            let config = parse(&record(sps, pps)).expect(name);

            assert_eq!(config.sps, sps, "{name}");
            assert_eq!(config.pps, pps, "{name}");
            assert_eq!(config.nal_length_size, 4, "{name}");
            let size = if sps.is_empty() { "" } else { " 640x360" };
            assert_eq!(
                config.to_string(),
                format!("H.264 High 3.0{size}"),
                "{name}"
            );
        }
    }

    #[test]
    fn parameter_sets_are_slices_of_the_record() {
        let record = Bytes::from(record(&[SPS], &[&[0x68]]));
        let config = DecoderConfig::parse(&record).unwrap();

        let within = record.as_ptr_range();
        assert!(within.contains(&config.sps[0].as_ptr()));
        assert!(within.contains(&config.pps[0].as_ptr()));
    }

    #[test]
    fn what_follows_the_parameter_sets_is_left_aside() {
        for trailer in [&[0xFD, 0xF8, 0xF8, 0x00][..], &[0xFF; 9]] {
            let record = [&record(&[SPS], &[&[0x68]]), trailer].concat();
            assert_eq!(parse(&record).unwrap().pps, [&[0x68][..]]);
        }
    }

    #[test]
    fn an_unreadable_sps_costs_the_size_only() {
        let config = parse(&record(&[&[0x67, 0x64]], &[&[0x68]])).unwrap();

        assert_eq!(config.to_string(), "H.264 High 3.0");
        assert!(matches!(
            config.first_sps(),
            Some(Err(FieldError::Missing { .. }))
        ));
    }

    #[test]
    fn lengths_of_nal_units_take_1_2_or_4_bytes() {
        let mut record = record(&[], &[]);
        for (byte, expected) in [
            (0xFC, Some(1)),
            (0xFD, Some(2)),
            (0xFE, None),
            (0xFF, Some(4)),
        ] {
            record[4] = byte;
            assert_eq!(
                parse(&record).ok().map(|config| config.nal_length_size),
                expected
            );
        }
    }

    #[test]
    fn broken_records_are_told_by_field_and_place() {
        let whole = record(&[SPS], &[&[0x68, 0xEE]]);
        let cases: [(&[u8], &str); 6] = [
            (
                &[],
                "configurationVersion at bit 0: 8 bits expected, 0 left",
            ),
            (&[0, 0x64], "configurationVersion is 0, expected 1"),
            (
                &whole[..3],
                "AVCLevelIndication at bit 24: 8 bits expected, 0 left",
            ),
            (
                &whole[..7],
                "sequenceParameterSet at bit 56: 8 bits expected, 0 left",
            ),
            (
                &whole[..20],
                "sequenceParameterSet at bit 64: 208 bits expected, 96 left",
            ),
            (
                &whole[..whole.len() - 1],
                "pictureParameterSet at bit 296: 16 bits expected, 8 left",
            ),
        ];
        for (record, message) in cases {
            assert_eq!(parse(record).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn profiles_have_the_names_of_the_standard() {
        let cases = [
            (66, 0x00, "Baseline"),
            (66, 0x40, "Constrained Baseline"),
            (77, 0x40, "Main"),
            (88, 0x00, "Extended"),
            (100, 0x00, "High"),
            (100, 0x0C, "Constrained High"),
            (100, 0x08, "Progressive High"),
            (110, 0x10, "High 10 Intra"),
            (122, 0x00, "High 4:2:2"),
            (244, 0x00, "High 4:4:4 Predictive"),
            (7, 0x00, "profile 7"),
        ];
        for (idc, constraints, name) in cases {
            assert_eq!(Profile { idc, constraints }.to_string(), name);
        }
    }

    #[test]
    fn level_1b_is_known_in_both_its_forms() {
        let cases = [
            (66, 0x10, 11, "1b"),
            (77, 0x00, 11, "1.1"),
            (100, 0x10, 11, "1.1"),
            (100, 0x00, 9, "1b"),
            (100, 0x00, 10, "1.0"),
            (100, 0x00, 62, "6.2"),
        ];
        for (idc, constraints, level, name) in cases {
            assert_eq!(
                Level::new(level, Profile { idc, constraints }).to_string(),
                name
            );
        }
    }
}
