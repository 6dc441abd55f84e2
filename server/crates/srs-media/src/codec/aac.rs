//! AAC: the audio specific config.
//!
//! Follows ISO/IEC 14496-3, 1.6.2.1 (`AudioSpecificConfig`) and 4.4.1 (`GASpecificConfig`).

use std::fmt;

use super::config::write_channels;
use crate::bits::{BitReader, FieldError};

/// What a decoder must know before the first frame, from an AAC sequence header.
///
/// The Display form is for logs: `AAC LC 44100 Hz stereo`. Where band replication (SBR) is
/// signalled it says what comes out of a decoder that knows it: `HE-AAC 44100 Hz stereo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// The coding of the core: with explicitly signalled SBR what lies under it, mostly LC.
    pub object_type: ObjectType,
    /// Samples per second of the core, in Hz, as said by `samplingFrequencyIndex` or in full.
    pub core_sample_rate: u32,
    /// `samplingFrequencyIndex` of the core, 0 to 12, which ADTS frames repeat; `None` if the rate
    /// was given in full.
    pub frequency_index: Option<u8>,
    /// `channelConfiguration`, 0 to 15, which ADTS frames repeat; 0 if the config lists the
    /// channels itself.
    pub channel_configuration: u8,
    /// Channels of the core; `None` if the config does not say it in a form known here.
    pub core_channels: Option<u8>,
    /// Samples per second after spectral band replication, in Hz, if that is signalled.
    pub sbr_sample_rate: Option<u32>,
    /// Whether parametric stereo is signalled: one coded channel becomes two.
    pub has_parametric_stereo: bool,
}

impl AudioSpecificConfig {
    /// Reads a config: the payload of a sequence header, after its tag header. What may follow the
    /// parts named here is left aside.
    ///
    /// # Errors
    /// [`FieldError`] if it is cut short, or if object type, sample rate or channels are reserved
    /// values.
    pub fn parse(config: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(config);
        let first_type = ObjectType::read(&mut reader)?;
        let (frequency_index, core_sample_rate) = read_sample_rate(&mut reader)?;
        let channel_configuration = reader.bits(4, "channelConfiguration")?.to_be_bytes()[3];
        let mut this = Self {
            object_type: first_type,
            core_sample_rate,
            frequency_index,
            channel_configuration,
            core_channels: channels_of(channel_configuration)?,
            sbr_sample_rate: None,
            has_parametric_stereo: first_type == ObjectType::PS,
        };
        if first_type == ObjectType::SBR || first_type == ObjectType::PS {
            this.sbr_sample_rate = Some(read_sample_rate(&mut reader)?.1);
            this.object_type = ObjectType::read(&mut reader)?;
            if this.object_type == ObjectType::ER_BSAC {
                reader.skip(4, "extensionChannelConfiguration")?;
            }
        }
        // Encoders are known that stop after the two bytes above: the rest is worth having, but not
        // worth an error.
        if this.object_type.is_general_audio() {
            let _ = this.read_general_audio(&mut reader);
        }
        Ok(this)
    }

    /// Samples per second that a decoder puts out, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sbr_sample_rate.unwrap_or(self.core_sample_rate)
    }

    /// Channels that a decoder puts out; `None` if the config does not say.
    pub fn channels(&self) -> Option<u8> {
        match self.core_channels {
            Some(1) if self.has_parametric_stereo => Some(2),
            channels => channels,
        }
    }

    /// 4.4.1 and, after it, SBR and PS announced to those decoders only that look for it (1.6.5.2).
    fn read_general_audio(&mut self, reader: &mut BitReader<'_>) -> Result<(), FieldError> {
        reader.skip(1, "frameLengthFlag")?;
        if reader.flag("dependsOnCoreCoder")? {
            reader.skip(14, "coreCoderDelay")?;
        }
        let has_extension = reader.flag("extensionFlag")?;
        if self.channel_configuration == 0 {
            self.core_channels = Some(read_program_channels(reader)?);
        }
        if matches!(self.object_type.0, 6 | 20) {
            reader.skip(3, "layerNr")?;
        }
        if has_extension {
            match self.object_type.0 {
                22 => reader.skip(16, "numOfSubFrame and layer_length")?,
                17 | 19 | 20 | 23 => reader.skip(3, "resilience flags")?,
                _ => {}
            }
            reader.skip(1, "extensionFlag3")?;
        }
        // The error-resilient types have epConfig here; nobody hides SBR behind that.
        if self.sbr_sample_rate.is_some() || self.object_type.0 >= 17 {
            return Ok(());
        }
        if reader.bits(11, "syncExtensionType")? != SYNC_SBR {
            return Ok(());
        }
        if ObjectType::read(reader)? != ObjectType::SBR || !reader.flag("sbrPresentFlag")? {
            return Ok(());
        }
        self.sbr_sample_rate = Some(read_sample_rate(reader)?.1);
        if reader.bits(11, "syncExtensionType")? == SYNC_PS {
            self.has_parametric_stereo = reader.flag("psPresentFlag")?;
        }
        Ok(())
    }
}

impl fmt::Display for AudioSpecificConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.has_parametric_stereo, self.sbr_sample_rate) {
            (true, _) => f.write_str("HE-AAC v2")?,
            (false, Some(_)) => f.write_str("HE-AAC")?,
            (false, None) => write!(f, "AAC {}", self.object_type)?,
        }
        write!(f, " {} Hz", self.sample_rate())?;
        self.channels()
            .map_or(Ok(()), |channels| write_channels(f, channels))
    }
}

/// An audio object type (table 1.17), 1 to 95. Displayed by its usual short name: `LC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectType(pub u8);

impl ObjectType {
    /// Spectral band replication.
    const SBR: Self = Self(5);
    /// Error-resilient bit-sliced arithmetic coding.
    const ER_BSAC: Self = Self(22);
    /// Parametric stereo, over SBR.
    const PS: Self = Self(29);

    /// `GetAudioObjectType` (table 1.16): five bits, or six more behind the escape.
    fn read(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        let id = match reader.bits(5, "audioObjectType")? {
            31 => 32 + reader.bits(6, "audioObjectTypeExt")?,
            0 => return Err(FieldError::unexpected("audioObjectType", 0, "1 to 95")),
            id => id,
        };
        Ok(Self(id.to_be_bytes()[3]))
    }

    /// Whether `GASpecificConfig` follows (table 1.15).
    const fn is_general_audio(self) -> bool {
        matches!(self.0, 1..=4 | 6 | 7 | 17 | 19..=23)
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "Main",
            2 => "LC",
            3 => "SSR",
            4 => "LTP",
            5 => "SBR",
            6 => "Scalable",
            17 => "ER LC",
            23 => "LD",
            29 => "PS",
            39 => "ELD",
            42 => "xHE",
            id => return write!(f, "object type {id}"),
        })
    }
}

/// The index, if the rate was said by one, and the rate in Hz.
fn read_sample_rate(reader: &mut BitReader<'_>) -> Result<(Option<u8>, u32), FieldError> {
    let field = "samplingFrequencyIndex";
    let index = reader.bits(4, field)?.to_be_bytes()[3];
    if index == 15 {
        return match reader.bits(24, "samplingFrequency")? {
            0 => Err(FieldError::unexpected(
                "samplingFrequency",
                0,
                "a rate above zero",
            )),
            rate => Ok((None, rate)),
        };
    }
    match SAMPLE_RATES.get(usize::from(index)) {
        Some(&rate) => Ok((Some(index), rate)),
        None => Err(FieldError::unexpected(field, index.into(), "0 to 12 or 15")),
    }
}

/// Table 1.19; `None` for 0, where the config lists the channels.
fn channels_of(channel_configuration: u8) -> Result<Option<u8>, FieldError> {
    match channel_configuration {
        0 => Ok(None),
        count @ 1..=6 => Ok(Some(count)),
        7 | 12 | 14 => Ok(Some(8)),
        11 => Ok(Some(7)),
        13 => Ok(Some(24)),
        value => {
            let expected = "0 to 7 or 11 to 14";
            Err(FieldError::unexpected(
                "channelConfiguration",
                value.into(),
                expected,
            ))
        }
    }
}

/// Adds up the channels of a `program_config_element` (4.4.1.1) and passes over it.
fn read_program_channels(reader: &mut BitReader<'_>) -> Result<u8, FieldError> {
    reader.skip(4, "element_instance_tag")?;
    reader.skip(2, "object_type")?;
    reader.skip(4, "sampling_frequency_index")?;
    let front = reader.bits(4, "num_front_channel_elements")?;
    let side = reader.bits(4, "num_side_channel_elements")?;
    let back = reader.bits(4, "num_back_channel_elements")?;
    let low_frequency = reader.bits(2, "num_lfe_channel_elements")?;
    let data = reader.bits(3, "num_assoc_data_elements")?;
    let coupling = reader.bits(4, "num_valid_cc_elements")?;
    for (present, size) in [
        ("mono_mixdown_present", 4),
        ("stereo_mixdown_present", 4),
        ("matrix_mixdown_present", 3),
    ] {
        if reader.flag(present)? {
            reader.skip(size, "mixdown")?;
        }
    }
    let mut channels = low_frequency.to_be_bytes()[3];
    for _ in 0..front + side + back {
        // At most 45 pairs: the sum stays below 100.
        channels += if reader.flag("element_is_cpe")? { 2 } else { 1 };
        reader.skip(4, "element_tag_select")?;
    }
    let tags = [(low_frequency, 4), (data, 4), (coupling, 5)];
    for (count, size) in tags {
        for _ in 0..count {
            reader.skip(size, "element_tag_select")?;
        }
    }
    reader.align();
    let comment = reader.byte("comment_field_bytes")?;
    reader.bytes(comment.into(), "comment_field_data")?;
    Ok(channels)
}

/// Table 1.18, in Hz.
const SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// `syncExtensionType` in front of SBR that decoders without it are to overlook.
const SYNC_SBR: u32 = 0x2B7;

/// The same for parametric stereo.
const SYNC_PS: u32 = 0x548;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::BitWriter;

    /// Object type, rate by index, channel configuration.
    fn start(object_type: u64, index: u64, channels: u64) -> BitWriter {
        BitWriter::default()
            .bits(5, object_type)
            .bits(4, index)
            .bits(4, channels)
    }

    fn describe(config: &[u8]) -> Result<String, FieldError> {
        AudioSpecificConfig::parse(config).map(|config| config.to_string())
    }

    #[test]
    fn configs_are_described_as_operators_know_them() {
        // 24 bits of rate; the second LC one lacks everything after the channels.
        let explicit_rate = start(2, 15, 0).bytes().len();
        assert_eq!(explicit_rate, 2);
        let explicit_rate = BitWriter::default()
            .bits(5, 2)
            .bits(4, 15)
            .bits(24, 44_056)
            .bits(7, 16);
        let xhe = BitWriter::default()
            .bits(5, 31)
            .bits(6, 42 - 32)
            .bits(4, 3)
            .bits(4, 2);
        let cases: [(&str, &[u8], &str); 12] = [
            ("LC", &[0x12, 0x10], "AAC LC 44100 Hz stereo"),
            ("LC, mono", &[0x11, 0x88], "AAC LC 48000 Hz mono"),
            ("LC, 5.1", &[0x11, 0xB0], "AAC LC 48000 Hz 5.1"),
            ("LC, 7.1", &[0x11, 0xB8], "AAC LC 48000 Hz 7.1"),
            ("LC, quadro", &[0x11, 0xA0], "AAC LC 48000 Hz 4 channels"),
            ("Main", &[0x0A, 0x10], "AAC Main 44100 Hz stereo"),
            (
                "SBR in front",
                &[0x2B, 0x92, 0x08, 0x00],
                "HE-AAC 44100 Hz stereo",
            ),
            (
                "PS in front",
                &[0xEB, 0x8A, 0x08, 0x00],
                "HE-AAC v2 44100 Hz stereo",
            ),
            (
                "SBR behind",
                &[0x13, 0x90, 0x56, 0xE5, 0xA0],
                "HE-AAC 44100 Hz stereo",
            ),
            (
                "no SBR behind",
                &[0x13, 0x90, 0x56, 0xE5, 0x00],
                "AAC LC 22050 Hz stereo",
            ),
            (
                "a rate in full",
                &explicit_rate.bytes(),
                "AAC LC 44056 Hz stereo",
            ),
            ("an escaped type", &xhe.bytes(), "AAC xHE 48000 Hz stereo"),
        ];
        for (name, config, text) in cases {
            assert_eq!(describe(config).as_deref(), Ok(text), "{name}");
        }
    }

    #[test]
    fn parametric_stereo_is_found_behind_the_config() {
        let sbr = start(2, 6, 1)
            .bits(3, 0)
            .bits(11, 0x2B7)
            .bits(5, 5)
            .flag(true)
            .bits(4, 3);
        let config = sbr.bits(11, 0x548).flag(true).bytes();

        assert_eq!(
            describe(&config).as_deref(),
            Ok("HE-AAC v2 48000 Hz stereo")
        );
        let config = AudioSpecificConfig::parse(&config).unwrap();
        assert_eq!(config.core_sample_rate, 24_000);
        assert_eq!(config.core_channels, Some(1));
    }

    #[test]
    fn adts_finds_what_it_repeats() {
        let config = AudioSpecificConfig::parse(&[0x2B, 0x92, 0x08, 0x00]).unwrap();

        assert_eq!(config.object_type, ObjectType(2), "the core, under SBR");
        assert_eq!(config.frequency_index, Some(7));
        assert_eq!(config.channel_configuration, 2);
    }

    #[test]
    fn channels_are_counted_where_the_config_lists_them() {
        let elements = |writer: BitWriter| {
            // A centre, a front pair, a side pair, a back pair; a low-frequency one, one for data,
            // one for coupling; one mixdown of three; then a comment.
            let counts = writer
                .bits(10, 0)
                .bits(4, 2)
                .bits(4, 1)
                .bits(4, 1)
                .bits(2, 1);
            let counts = counts
                .bits(3, 1)
                .bits(4, 1)
                .bits(2, 0)
                .flag(true)
                .bits(3, 0);
            let front = counts.bits(5, 0).bits(5, 0b1_0000);
            front
                .bits(10, 0b10_0011_0010)
                .bits(4, 0)
                .bits(4, 0)
                .bits(5, 0)
        };
        let config = elements(start(2, 3, 0).bits(3, 0)).bytes();
        let with_comment = [&config[..], &[3], b"abc"].concat();

        assert_eq!(
            describe(&with_comment).as_deref(),
            Ok("AAC LC 48000 Hz 7.1")
        );
        assert_eq!(
            describe(&config).as_deref(),
            Ok("AAC LC 48000 Hz"),
            "cut before the comment"
        );
    }

    #[test]
    fn parts_of_rare_types_are_passed_over() {
        // The scalable type has a layer number before the extension, a core coder its delay.
        let scalable = start(6, 4, 2)
            .flag(false)
            .flag(true)
            .bits(14, 0x3FFF)
            .flag(false)
            .bits(3, 7);
        let config = scalable
            .bits(11, 0x2B7)
            .bits(5, 5)
            .flag(true)
            .bits(4, 0)
            .bytes();

        assert_eq!(
            AudioSpecificConfig::parse(&config).unwrap().sbr_sample_rate,
            Some(96_000)
        );
    }

    #[test]
    fn reserved_values_are_refused() {
        let cases: [(&[u8], &str); 6] = [
            (&[], "audioObjectType at bit 0: 5 bits expected, 0 left"),
            (
                &[0x12],
                "samplingFrequencyIndex at bit 5: 4 bits expected, 3 left",
            ),
            (&[0x02, 0x10], "audioObjectType is 0, expected 1 to 95"),
            (
                &[0x16, 0x90],
                "samplingFrequencyIndex is 13, expected 0 to 12 or 15",
            ),
            (
                &[0x12, 0x40],
                "channelConfiguration is 8, expected 0 to 7 or 11 to 14",
            ),
            (
                &[0x17, 0x80, 0, 0, 0],
                "samplingFrequency is 0, expected a rate above zero",
            ),
        ];
        for (config, message) in cases {
            assert_eq!(describe(config).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(config: Vec<u8>, object_type in 1..32u64, channels in 0..8u64) {
            let _ = describe(&config);
            let _ = describe(&[start(object_type, 3, channels).bytes(), config].concat());
        }
    }
}
