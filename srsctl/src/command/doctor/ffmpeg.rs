//! ffmpeg, and whether it was built with what live streams need.

use std::path::{Path, PathBuf};

use super::finding::{Finding, quoted};
use super::host::Host;
use super::read;

/// An ffmpeg.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ffmpeg {
    pub(super) path: PathBuf,
    /// `None` if it cannot be run.
    pub(super) version: Option<String>,
    /// What it lacks, as in `encoder libx264`.
    pub(super) missing: Vec<String>,
}

impl Ffmpeg {
    /// Asks the one that is found first.
    pub(super) fn read() -> Option<Self> {
        read::program("ffmpeg").map(|path| Self::of(&path))
    }

    fn of(path: &Path) -> Self {
        let ask = |what: &str| read::printed(path, &["-hide_banner", what]).unwrap_or_default();
        let version = read::printed(path, &["-version"]).and_then(|text| version(&text));
        let mut missing = Vec::new();
        if version.is_some() {
            for (what, option, wanted) in WANTED {
                let list = ask(option);
                let has = names(&list);
                let lacks = wanted.iter().filter(|name| !has.contains(*name));
                missing.extend(lacks.map(|name| format!("{what} {name}")));
            }
        }
        Self {
            path: path.to_owned(),
            version,
            missing,
        }
    }
}

/// `5.1.6-0+deb12u1` of `ffmpeg version 5.1.6-0+deb12u1 Copyright …`.
fn version(text: &str) -> Option<String> {
    let mut words = text.strip_prefix("ffmpeg version ")?.split_whitespace();
    words.next().map(str::to_owned)
}

/// All words that can be names in a list of ffmpeg's: ` E mp4,mov  MP4 format` names two things.
/// A description adds words, too, but none of those that are looked for stands only there.
fn names(list: &str) -> Vec<&str> {
    list.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let first = words.next()?;
            // Protocols have no flags in front.
            Some(words.next().unwrap_or(first))
        })
        .flat_map(|names| names.split(','))
        .collect()
}

/// Whether it is there, and whole. The server does without.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let Some(ffmpeg) = &host.ffmpeg else {
        let seen = "not found in PATH; srs needs none";
        let finding = Finding::note(CHECK, "ffmpeg-missing", seen)
            .mend("to publish files from this host, install it");
        return vec![match host.has_apt {
            true => finding.command("sudo apt install ffmpeg"),
            false => finding,
        }];
    };
    let path = ffmpeg.path.display();
    let Some(version) = &ffmpeg.version else {
        let seen = format!("{path} cannot be run");
        let finding = Finding::note(CHECK, "ffmpeg-broken", seen);
        return vec![finding.command(format!("{} -version", quoted(&ffmpeg.path)))];
    };
    if ffmpeg.missing.is_empty() {
        let seen = format!("{version} ({path}), with {}", wanted());
        return vec![Finding::ok(CHECK, seen)];
    }
    let seen = format!("{version} ({path}) lacks {}", ffmpeg.missing.join(", "));
    let finding = Finding::note(CHECK, "ffmpeg-incomplete", seen);
    vec![finding.mend("srs needs none; where it should encode, install a complete build")]
}

fn wanted() -> String {
    let mut names: Vec<&str> = WANTED
        .iter()
        .flat_map(|(_, _, names)| *names)
        .copied()
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

const CHECK: &str = "ffmpeg";
const WANTED: [(&str, &str, &[&str]); 4] = [
    ("encoder", "-encoders", &["libx264", "aac", "libmp3lame"]),
    ("muxer", "-muxers", &["flv", "hls", "mpegts"]),
    ("demuxer", "-demuxers", &["flv", "hls", "mpegts"]),
    ("protocol", "-protocols", &["rtmp"]),
];

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn lists_are_read() {
        let encoders = " V..... = Video\n ------\n V....D libx264   H.264 (codec h264)\n";
        assert!(names(encoders).contains(&"libx264"));
        assert!(names(" DE mov,mp4  QuickTime\n").contains(&"mp4"));
        let protocols = "Supported file protocols:\nInput:\n  rtmp\nOutput:\n  rtmp\n";
        assert!(names(protocols).contains(&"rtmp"));
        let banner = "ffmpeg version n7.1 Copyright (c) 2000-2024 the FFmpeg developers\n";
        assert_eq!(version(banner).unwrap(), "n7.1");
        assert_eq!(version("sh: no"), None);
    }

    #[test]
    fn one_that_lacks_an_encoder_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ffmpeg");
        let script = "#!/bin/sh\ncase $1$2 in -version) echo ffmpeg version 9 x ;;\n\
                      *encoders) printf ' A..... aac AAC\\n A..... libmp3lame MP3\\n' ;;\n\
                      *muxers) printf ' E flv\\n E hls\\n E mpegts\\n' ;;\n\
                      *) echo ' rtmp' ;; esac\n";
        // Another process writes it: a child that another test starts just then would hold a file
        // open that this one wrote, and a file that is open for writing cannot be run.
        let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let written = Command::new("sh")
            .args(["-c", write])
            .arg(&file)
            .arg(script)
            .status();
        assert!(written.unwrap().success());
        let ffmpeg = Ffmpeg::of(&file);
        assert_eq!(ffmpeg.version.as_deref(), Some("9"));
        assert_eq!(ffmpeg.missing, ["encoder libx264"]);
        let missing = Ffmpeg::of(&folder.path().join("none"));
        for (ffmpeg, expected) in [
            (Some(ffmpeg), "ffmpeg-incomplete"),
            (Some(missing), "ffmpeg-broken"),
            (None, "ffmpeg-missing"),
        ] {
            let host = Host {
                ffmpeg,
                ..Host::well()
            };
            assert_eq!(check(&host)[0].id, expected);
        }
        assert_eq!(check(&Host::well())[0].id, "ffmpeg");
    }
}
