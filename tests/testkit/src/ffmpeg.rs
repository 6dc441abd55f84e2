//! ffmpeg as encoder and player, ffprobe as judge.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process::command;
use crate::{Kind, Packet, Packets, Process, Recording, SOON};

/// Publishes the packets of `file` as they are to `url`.
#[must_use]
pub fn publish(file: impl Into<PathBuf>, url: &str) -> Publish {
    Publish {
        file: file.into(),
        url: url.to_owned(),
        input: vec![],
        output: vec![],
    }
}

/// An encoder that is not running yet.
#[derive(Clone, Debug)]
pub struct Publish {
    file: PathBuf,
    url: String,
    input: Vec<String>,
    output: Vec<String>,
}

impl Publish {
    /// As fast as the media plays; else as fast as the server takes it.
    #[must_use]
    pub fn realtime(mut self) -> Self {
        self.input.push("-re".to_owned());
        self
    }

    /// Again and again, with times that go on.
    #[must_use]
    pub fn looped(self) -> Self {
        self.repeated(-1)
    }

    /// So many times after the first.
    #[must_use]
    pub fn repeated(mut self, times: i32) -> Self {
        self.input
            .extend(["-stream_loop".to_owned(), times.to_string()]);
        self
    }

    /// Ends after so much media.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.output
            .extend(["-t".to_owned(), duration.as_secs_f64().to_string()]);
        self
    }

    /// Puts `key` into the metadata.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.output
            .extend(["-metadata".to_owned(), format!("{key}={value}")]);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If there is no ffmpeg.
    pub fn start(&self) -> Result<Process> {
        Process::start(
            "ffmpeg publish",
            command("ffmpeg")
                .args(QUIET)
                .args(["-loglevel", "verbose"])
                .args(&self.input)
                .arg("-i")
                .arg(&self.file)
                .args(&self.output)
                .args(["-c", "copy", "-f", "flv"])
                .args(["-flvflags", "no_duration_filesize", &self.url]),
        )
    }

    /// Starts it and waits until the server has accepted it.
    ///
    /// # Errors
    /// If there is no ffmpeg, or the server refuses or takes too long.
    pub fn start_live(&self) -> Result<Process> {
        let process = self.start()?;
        // ffmpeg says so when it has written the header, for which it must be publishing.
        process.log().wait_for("Output #0, flv", SOON)?;
        Ok(process)
    }
}

/// Plays `url` and records it into `file`, an FLV.
#[must_use]
pub fn record(url: &str, file: impl Into<PathBuf>) -> Record {
    Record {
        url: url.to_owned(),
        file: file.into(),
        output: vec![],
    }
}

/// A player that is not running yet.
#[derive(Clone, Debug)]
pub struct Record {
    url: String,
    file: PathBuf,
    output: Vec<String>,
}

impl Record {
    /// Ends after so much media; else when the server ends the stream.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.output
            .extend(["-t".to_owned(), duration.as_secs_f64().to_string()]);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If there is no ffmpeg.
    pub fn start(&self) -> Result<Recording> {
        let process = Process::start(
            "ffmpeg record",
            command("ffmpeg")
                .args(QUIET)
                // At this level it says when it asks for the stream.
                .args(["-loglevel", "debug", "-y", "-i", &self.url, "-c", "copy"])
                .args(&self.output)
                .args(["-f", "flv", "-flush_packets", "1"])
                .arg(&self.file),
        )?;
        Ok(Recording::new(process, self.file.clone(), None))
    }

    /// Starts it and waits until it has asked the server for the stream, which need not be there.
    ///
    /// # Errors
    /// If there is no ffmpeg, or the server refuses or takes too long.
    pub fn start_waiting(&self) -> Result<Recording> {
        let recording = self.start()?;
        recording.log().wait_for("Sending play command", SOON)?;
        Ok(recording)
    }

    /// Starts it and waits until it has seen enough of the stream to record it.
    ///
    /// # Errors
    /// If there is no ffmpeg, or the server sends nothing for too long.
    pub fn start_playing(&self) -> Result<Recording> {
        let recording = self.start()?;
        recording.log().wait_for("Output #0, flv", SOON)?;
        Ok(recording)
    }
}

/// One elementary stream of a file or of a live stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stream {
    /// Picture or sound.
    pub kind: Kind,
    /// ffmpeg's name of the codec: `h264`, `aac`.
    pub codec: String,
    /// Width and height of the picture, in pixels.
    pub size: Option<(u32, u32)>,
    /// Samples a second and channels of the sound.
    pub sound: Option<(u32, u32)>,
    /// MD5 of the decoder's configuration.
    pub header_hash: String,
}

/// The pictures and sounds of a file or URL. Data is left out.
///
/// # Errors
/// If there is no ffprobe, or it cannot read `source`.
pub fn streams(source: impl AsRef<Path>) -> Result<Vec<Stream>> {
    let fields = "stream=codec_type,codec_name,width,height,sample_rate,channels,extradata_hash";
    let sections = probe(source.as_ref(), "STREAM", fields)?;
    sections
        .iter()
        .filter(|section| section.is_media())
        .map(Section::stream)
        .collect()
}

/// The pictures and pieces of sound of a file, in its order. Data is left out.
///
/// # Errors
/// If there is no ffprobe, or it cannot read `file`.
pub fn packets(file: impl AsRef<Path>) -> Result<Packets> {
    let fields = "packet=codec_type,pts,dts,size,flags,data_hash";
    let sections = probe(file.as_ref(), "PACKET", fields)?;
    let media = sections.iter().filter(|section| section.is_media());
    Ok(Packets::new(
        media.map(Section::packet).collect::<Result<_>>()?,
    ))
}

/// The value of `key` in the metadata of a file or URL, if it is there.
///
/// # Errors
/// If there is no ffprobe, or it cannot read `source`.
pub fn metadata(source: impl AsRef<Path>, key: &str) -> Result<Option<String>> {
    let sections = probe(source.as_ref(), "FORMAT", &format!("format_tags={key}"))?;
    let section = sections.first().context("ffprobe says nothing")?;
    Ok(section
        .text(&format!("TAG:{key}"))
        .ok()
        .map(ToOwned::to_owned))
}

/// Decodes all of a file.
///
/// # Errors
/// If there is no ffmpeg, or the decoders complain.
pub fn decode(file: impl AsRef<Path>) -> Result<()> {
    let output = Command::new("ffmpeg")
        .args(QUIET)
        .args(["-loglevel", "warning", "-i"])
        .arg(file.as_ref())
        .args(["-f", "null", "-"])
        .output()
        .context("cannot start ffmpeg")?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && complaints.is_empty(),
        "{} does not decode: {complaints}",
        file.as_ref().display()
    );
    Ok(())
}

/// What ffprobe says about the `fields` of `source`, section (`PACKET`) by section.
fn probe(source: &Path, section: &str, fields: &str) -> Result<Vec<Section>> {
    let output = Command::new("ffprobe")
        .args([
            "-loglevel",
            "error",
            "-show_data_hash",
            "md5",
            "-show_entries",
            fields,
        ])
        .arg(source)
        .output()
        .context("cannot start ffprobe")?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "ffprobe {}: {complaints}",
        source.display()
    );
    let start = format!("[{section}]\n");
    let end = format!("[/{section}]");
    Ok(String::from_utf8(output.stdout)?
        .split(&start)
        .filter_map(|text| Some(Section(text.split_once(&end)?.0.to_owned())))
        .collect())
}

/// Lines `key=value`, and between them perhaps the sections of this section.
struct Section(String);

impl Section {
    fn stream(&self) -> Result<Stream> {
        let kind = self.kind()?;
        Ok(Stream {
            kind,
            codec: self.text("codec_name")?.to_owned(),
            size: match kind {
                Kind::Video => Some((self.number("width")?, self.number("height")?)),
                Kind::Audio => None,
            },
            sound: match kind {
                Kind::Video => None,
                Kind::Audio => Some((self.number("sample_rate")?, self.number("channels")?)),
            },
            header_hash: self.text("extradata_hash")?.to_owned(),
        })
    }

    fn packet(&self) -> Result<Packet> {
        Ok(Packet {
            kind: self.kind()?,
            dts: self.number("dts")?,
            pts: self.number("pts")?,
            is_key_frame: self.text("flags")?.contains('K'),
            size: self.number("size")?,
            hash: self.text("data_hash")?.to_owned(),
        })
    }

    /// Not data, which the server may add.
    fn is_media(&self) -> bool {
        self.kind().is_ok()
    }

    fn kind(&self) -> Result<Kind> {
        match self.text("codec_type")? {
            "video" => Ok(Kind::Video),
            "audio" => Ok(Kind::Audio),
            other => bail!("neither picture nor sound: {other}"),
        }
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let value = self.text(key)?;
        value
            .parse()
            .ok()
            .with_context(|| format!("{key} is not a number: {value}"))
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .with_context(|| format!("ffprobe says no {key}: {}", self.0))
    }
}

/// No questions, and no progress line that overwrites itself.
const QUIET: [&str; 3] = ["-hide_banner", "-nostdin", "-nostats"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips;

    #[test]
    fn the_demo_is_what_its_description_says() {
        let streams = streams(clips::demo()).unwrap();
        assert_eq!(streams[0].codec, "h264");
        assert_eq!(streams[0].size, Some((640, 360)));
        assert_eq!(streams[1].codec, "aac");
        assert_eq!(streams[1].sound, Some((44100, 2)));
        let packets = packets(clips::demo()).unwrap();
        assert_eq!(packets.video().len(), 250);
        let key_frames = packets
            .video()
            .iter()
            .filter(|packet| packet.is_key_frame)
            .count();
        assert_eq!(key_frames, 5);
        assert!(
            packets.video().iter().any(|packet| packet.pts > packet.dts),
            "has B frames"
        );
        decode(clips::demo()).unwrap();
    }

    #[test]
    fn a_clip_is_a_run_of_itself() {
        let packets = packets(clips::demo()).unwrap();
        let run = packets.run_of(&packets).unwrap();
        assert_eq!((run.offset, run.video), (0, 0..250));
    }
}
