//! How streams are called.

use srs_api::{Stream, StreamsAnswer};
use srs_config::VhostName;

use crate::client::Client;
use crate::command::Error;

/// The streams that `name` may mean: an id, `STREAM`, `APP/STREAM` or `VHOST/APP/STREAM`.
///
/// # Errors
/// The server does not answer. [`Error::Nothing`]: there is none.
pub(in crate::command) async fn find(client: &Client, name: &str) -> Result<StreamsAnswer, Error> {
    // Both an application and a stream may have slashes in their names, so that only a comparison
    // with what there is can tell where one ends.
    let mut answer = client.streams(&[], MOST).await?;
    super::retain(&mut answer, |stream| is_called(stream, name));
    if answer.streams.is_empty() {
        return Err(nothing(name));
    }
    Ok(answer)
}

/// There is no stream of this name.
pub(super) fn nothing(name: &str) -> Error {
    Error::Nothing {
        what: format!("stream {name}"),
        list: "srsctl streams",
    }
}

fn is_called(stream: &Stream, name: &str) -> bool {
    let Stream { id, vhost, app, .. } = stream;
    let own = &stream.name;
    name == id
        || name == own
        || name == format!("{app}/{own}")
        || name == format!("{vhost}/{app}/{own}")
}

/// How a stream is called: `app/stream`, behind its vhost unless that is the default one. What is
/// not known is left out.
pub(crate) fn label(vhost: &str, app: &str, name: &str) -> String {
    let vhost = if vhost == VhostName::DEFAULT {
        ""
    } else {
        vhost
    };
    let known: Vec<_> = [vhost, app, name]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    known.join("/")
}

/// More streams than that are not looked through for a name.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::super::tests::stream;
    use super::*;

    #[test]
    fn a_stream_has_several_names() {
        let stream = stream("v.example.com", "live/deep", "show/1");
        for name in [
            "s17",
            "show/1",
            "live/deep/show/1",
            "v.example.com/live/deep/show/1",
        ] {
            assert!(is_called(&stream, name), "{name}");
        }
        for name in [
            "",
            "/",
            "1",
            "how/1",
            "/show/1",
            "deep/show/1",
            "xlive/deep/show/1",
            "w.example.com/live/deep/show/1",
            "/live/deep/show/1",
            "live/deepshow/1",
        ] {
            assert!(!is_called(&stream, name), "{name}");
        }
    }

    #[test]
    fn the_default_vhost_is_not_worth_its_place() {
        let cases = [
            (["__defaultVhost__", "live", "show"], "live/show"),
            (["v.example.com", "live", "show"], "v.example.com/live/show"),
            (["", "live", ""], "live"),
            (["v.example.com", "", ""], "v.example.com"),
            (["", "", ""], ""),
        ];
        for ([vhost, app, name], expected) in cases {
            assert_eq!(label(vhost, app, name), expected);
        }
    }
}
