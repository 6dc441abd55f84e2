//! The body of a request: bounded in size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use tokio::time::timeout;

use super::refusal::Refusal;

/// Reads a whole body.
///
/// # Errors
/// It is too large, or does not come in time, or breaks off.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    let too_large = Refusal::TooLarge { most: MAX_BODY };
    // What says that it is too large need not be waited for.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large);
    }
    match timeout(READ_WITHIN, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(error)) => {
            let cause = error.source().map(|cause| format!(": {cause}"));
            Err(Refusal::Body(format!(
                "{error}{}",
                cause.unwrap_or_default()
            )))
        }
        Err(_) => Err(Refusal::BodyLate {
            within: READ_WITHIN,
        }),
    }
}

/// A heartbeat with summaries has 3 KiB.
pub(super) const MAX_BODY: usize = 64 << 10;
const READ_WITHIN: Duration = Duration::from_secs(10);
