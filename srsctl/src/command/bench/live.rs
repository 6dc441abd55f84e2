//! Whether somebody publishes a stream already.

use std::time::Duration;

use srs_net::RtmpClient;
use srs_net::client::ClientError;
use srs_rtmp::MediaKind;
use srs_rtmp::client::{ClientEvent, Purpose};
use srs_rtmp::url::RtmpUrl;
use tokio::time::timeout;

/// Plays the stream of `url` for a moment, and looks whether sound or picture comes. Each step of
/// the connection may take `within`.
///
/// # Errors
/// The server is not there. A play that is refused or breaks off is of a stream that is not live.
pub(super) async fn is_live(url: &RtmpUrl, within: Duration) -> Result<bool, ClientError> {
    let mut client = match RtmpClient::open(url, Purpose::Play, within).await {
        Ok(client) => client,
        Err(error @ ClientError::Dial(_)) => return Err(error),
        Err(_) => return Ok(false),
    };
    let is_live = timeout(PATIENCE, has_media(&mut client)).await;
    // The answer is there; how well the good-bye was heard does not matter.
    let _ = client.finish().await;
    Ok(is_live.unwrap_or(false))
}

async fn has_media(client: &mut RtmpClient) -> bool {
    loop {
        match client.next_event().await {
            // Servers may keep the metadata of a stream that is over.
            Ok(Some(ClientEvent::Media(media))) if media.kind == MediaKind::Data => {}
            Ok(Some(ClientEvent::Media(_))) => return true,
            Ok(Some(ClientEvent::Refused { .. } | ClientEvent::Ended { .. }) | None) | Err(_) => {
                return false;
            }
            Ok(Some(_)) => {}
        }
    }
}

/// How long a stream that plays may be without media and still be live.
const PATIENCE: Duration = Duration::from_secs(1);
