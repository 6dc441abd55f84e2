//! H.265: the decoder configuration record.
//!
//! Follows ISO/IEC 14496-15, 8.3.3.1.2 (`HEVCDecoderConfigurationRecord`); the parameter sets in it
//! follow ITU-T H.265, 7.3.2.

mod frame_rate;
mod sps;

use std::fmt;

use bytes::Bytes;

pub use self::sps::Sps;
use super::avc::parameter_set;
use crate::bits::{BitReader, FieldError};

/// What a decoder must know before the first frame, from an HEVC sequence header.
///
/// Parameter sets are slices of the record: nothing is copied. The Display form is for logs:
/// `HEVC Main 3.1 1280x720`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// Profile, tier and level.
    pub profile: Profile,
    /// Bytes of the length before each NAL unit of a frame: 1, 2 or 4.
    pub nal_length_size: usize,
    /// Video parameter sets, NAL header included.
    pub vps: Vec<Bytes>,
    /// Sequence parameter sets, NAL header included; none if the encoder sends them with the
    /// frames only.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL header included.
    pub pps: Vec<Bytes>,
}

impl DecoderConfig {
    /// Reads a configuration record: the payload of a sequence header, after its tag header.
    ///
    /// Units that are not parameter sets, such as SEI, are left aside.
    ///
    /// # Errors
    /// [`FieldError`] if the record is of another version, is cut short, or asks for lengths of
    /// three bytes. The parameter sets' contents are not looked at.
    pub fn parse(record: &Bytes) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(record);
        let version = reader.byte("configurationVersion")?;
        // Version 0 is what encoders wrote while the standard was a draft; the layout is the same.
        if version > 1 {
            return Err(FieldError::unexpected(
                "configurationVersion",
                version.into(),
                "1",
            ));
        }
        let profile = Profile::read(&mut reader)?;
        reader.skip(16, "min_spatial_segmentation_idc")?;
        reader.skip(8, "parallelismType")?;
        reader.skip(8, "chromaFormat")?;
        reader.skip(16, "bitDepthLumaMinus8 and bitDepthChromaMinus8")?;
        reader.skip(16, "avgFrameRate")?;
        reader.skip(
            6,
            "constantFrameRate, numTemporalLayers and temporalIdNested",
        )?;
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
        let mut config = Self {
            profile,
            nal_length_size,
            vps: Vec::new(),
            sps: Vec::new(),
            pps: Vec::new(),
        };
        for _ in 0..reader.byte("numOfArrays")? {
            reader.skip(2, "array_completeness")?;
            let unit_type = reader.bits(6, "NAL_unit_type")?;
            for _ in 0..reader.bits(16, "numNalus")? {
                let unit = parameter_set(record, &mut reader, "nalUnit")?;
                match unit_type {
                    VPS_UNIT => config.vps.push(unit),
                    SPS_UNIT => config.sps.push(unit),
                    PPS_UNIT => config.pps.push(unit),
                    _ => {}
                }
            }
        }
        Ok(config)
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
        write!(f, "HEVC {}", self.profile)?;
        match self.first_sps() {
            Some(Ok(sps)) => write!(f, " {}", sps.resolution),
            Some(Err(_)) | None => Ok(()),
        }
    }
}

/// Profile, tier and level of H.265 (Annex A). Displayed as `Main 4.0`, or `Main 4.0 High tier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// `general_profile_idc`.
    pub idc: u8,
    /// `general_tier_flag`: whether the level allows the rates of the High tier.
    pub is_high_tier: bool,
    /// `general_level_idc`: thirty times the level's number.
    pub level_idc: u8,
}

impl Profile {
    /// The twelve bytes that configuration record and SPS have in common.
    fn read(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        reader.skip(2, "general_profile_space")?;
        let is_high_tier = reader.flag("general_tier_flag")?;
        let idc = reader.bits(5, "general_profile_idc")?.to_be_bytes()[3];
        reader.skip(32, "general_profile_compatibility_flags")?;
        reader.skip(48, "general_constraint_indicator_flags")?;
        let level_idc = reader.byte("general_level_idc")?;
        Ok(Self {
            idc,
            is_high_tier,
            level_idc,
        })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.idc {
            1 => f.write_str("Main"),
            2 => f.write_str("Main 10"),
            3 => f.write_str("Main Still Picture"),
            4 => f.write_str("Range Extensions"),
            5 => f.write_str("High Throughput"),
            6 => f.write_str("Multiview Main"),
            7 => f.write_str("Scalable Main"),
            8 => f.write_str("3D Main"),
            9 => f.write_str("Screen Content"),
            idc => write!(f, "profile {idc}"),
        }?;
        write!(f, " {}.{}", self.level_idc / 30, self.level_idc % 30 / 3)?;
        f.write_str(if self.is_high_tier { " High tier" } else { "" })
    }
}

const VPS_UNIT: u32 = 32;
const SPS_UNIT: u32 = 33;
const PPS_UNIT: u32 = 34;

#[cfg(test)]
mod tests {
    use super::*;

    /// Main, level 3.1, with arrays of these units by type.
    fn record(arrays: &[(u8, &[&[u8]])]) -> Vec<u8> {
        let mut record = vec![
            1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xF0, 0, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0,
            0x0F,
        ];
        record.push(u8::try_from(arrays.len()).unwrap());
        for (unit_type, units) in arrays {
            record.push(0x80 | unit_type);
            record.extend(u16::try_from(units.len()).unwrap().to_be_bytes());
            for unit in *units {
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
    fn units_are_sorted_by_type() {
        let config = parse(&record(&[
            (39, &[b"sei"]),
            (34, &[b"pps 1", b"pps 2"]),
            (32, &[b"vps"]),
            (33, &[b"sps"]),
            (34, &[b"pps 3"]),
        ]))
        .unwrap();

        assert_eq!(config.vps, [&b"vps"[..]]);
        assert_eq!(config.sps, [&b"sps"[..]]);
        assert_eq!(config.pps, [&b"pps 1"[..], b"pps 2", b"pps 3"]);
        assert_eq!(config.nal_length_size, 4);
        assert_eq!(
            config.to_string(),
            "HEVC Main 3.1",
            "an unreadable SPS costs the size only"
        );
    }

    #[test]
    fn records_without_units_are_accepted() {
        let config = parse(&record(&[])).unwrap();

        assert_eq!(config.first_sps(), None);
        assert_eq!(config.to_string(), "HEVC Main 3.1");
    }

    #[test]
    fn broken_records_are_told_by_field_and_place() {
        let whole = record(&[(32, &[b"vps"])]);
        let mut version = whole.clone();
        version[0] = 2;
        let mut length = whole.clone();
        length[21] = 0x0E;
        let cases: [(&[u8], &str); 5] = [
            (&version, "configurationVersion is 2, expected 1"),
            (&length, "lengthSizeMinusOne is 2, expected 0, 1 or 3"),
            (
                &whole[..12],
                "general_level_idc at bit 96: 8 bits expected, 0 left",
            ),
            (
                &whole[..24],
                "numNalus at bit 192: 16 bits expected, 0 left",
            ),
            (
                &whole[..30],
                "nalUnit at bit 224: 24 bits expected, 16 left",
            ),
        ];
        for (record, message) in cases {
            assert_eq!(parse(record).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn profiles_are_shown_with_level_and_tier() {
        let cases = [
            (1, false, 120, "Main 4.0"),
            (2, true, 153, "Main 10 5.1 High tier"),
            (4, false, 186, "Range Extensions 6.2"),
            (99, false, 0, "profile 99 0.0"),
        ];
        for (idc, is_high_tier, level_idc, text) in cases {
            assert_eq!(
                Profile {
                    idc,
                    is_high_tier,
                    level_idc
                }
                .to_string(),
                text
            );
        }
    }
}
