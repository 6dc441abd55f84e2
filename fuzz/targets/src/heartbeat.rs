//! Any bytes as the heartbeat of another server.

use srs_api::Heartbeat;

/// What is read of a heartbeat is written as one that reads the same, and holds no number that JSON
/// cannot hold.
pub fn heartbeat(data: &[u8]) {
    let Ok(heartbeat) = serde_json::from_slice::<Heartbeat>(data) else {
        return;
    };
    let written = serde_json::to_string(&heartbeat).expect("it has no keys but texts");
    let again: Heartbeat = serde_json::from_str(&written).expect("it was written by us");
    assert_eq!(again, heartbeat, "{written}");
}
