//! What is in a stream, as people say it.

use srs_api::{Audio, Stream, Video};

/// `H264 High 1280x720@25 AAC 44.1k stereo`.
pub(crate) fn in_short(stream: &Stream) -> String {
    let parts = [
        stream.video.as_ref().map(video),
        stream.audio.as_ref().map(audio_in_short),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `H264 1280x720@25`: the picture, where there is one.
pub(crate) fn in_brief(stream: &Stream) -> String {
    match (&stream.video, &stream.audio) {
        (Some(video), _) => picture([&video.codec], video),
        (None, Some(audio)) => audio_in_short(audio),
        (None, None) => String::new(),
    }
}

fn video(video: &Video) -> String {
    picture([&video.codec, &video.profile], video)
}

/// Its size and frame rate, behind `names`.
fn picture<const N: usize>(names: [&str; N], video: &Video) -> String {
    let mut text = joined(names);
    if video.width > 0 {
        text += &format!(" {}x{}", video.width, video.height);
        if let Some(fps) = fps(video) {
            text += &format!("@{fps}");
        }
    }
    text
}

pub(crate) fn full_video(video: &Video) -> String {
    let mut text = joined([&video.codec, &video.profile, &video.level]);
    if video.width > 0 {
        text += &format!(", {}x{}", video.width, video.height);
    }
    if let Some(fps) = fps(video) {
        text += &format!(", {fps} fps");
    }
    if video.gop_ms > 0 {
        text += &format!(", a key frame every {}", gop(video));
    }
    text
}

/// Frames per second; as the stream says, as long as that is about what comes.
fn fps(video: &Video) -> Option<String> {
    let (counted, nominal) = (video.fps, video.nominal_fps);
    let is_true = counted <= 0.0 || (counted - nominal).abs() < nominal * 0.1;
    let fps = if nominal > 0.0 && is_true {
        nominal
    } else {
        counted
    };
    (fps > 0.0).then(|| short(fps, 2))
}

pub(crate) fn gop(video: &Video) -> String {
    match video.gop_ms {
        0 => String::new(),
        millis => format!("{}s", short(millis as f64 / 1000.0, 1)),
    }
}

pub(crate) fn audio_in_short(audio: &Audio) -> String {
    let rate = match audio.sample_rate {
        0 => String::new(),
        rate => format!("{}k", short(f64::from(rate) / 1000.0, 2)),
    };
    joined([&audio.codec, &rate, &channels(audio)])
}

pub(crate) fn audio(audio: &Audio) -> String {
    let mut text = joined([&audio.codec, &audio.profile]);
    if audio.sample_rate > 0 {
        text += &format!(", {} Hz", audio.sample_rate);
    }
    let channels = channels(audio);
    if !channels.is_empty() {
        text += &format!(", {channels}");
    }
    text
}

fn channels(audio: &Audio) -> String {
    match audio.channel {
        0 => String::new(),
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        more => format!("{more}ch"),
    }
}

/// Those that are not empty, with spaces between them.
fn joined<const N: usize>(parts: [&str; N]) -> String {
    let known: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(" ")
}

/// `number` with up to so many decimals.
fn short(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::stream;
    use super::*;

    #[test]
    fn frame_rates_are_those_of_the_stream_unless_others_come() {
        let cases = [
            (24.9, 25.0, Some("25")),
            (12.5, 25.0, Some("12.5")),
            (0.0, 29.97, Some("29.97")),
            (30.04, 0.0, Some("30.04")),
            (0.0, 0.0, None),
        ];
        for (counted, nominal, expected) in cases {
            let mut video = stream("v", "a", "s").video.unwrap();
            (video.fps, video.nominal_fps) = (counted, nominal);
            assert_eq!(fps(&video).as_deref(), expected);
        }
    }
}
