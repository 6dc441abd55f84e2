//! What runs beside the clients.

use srs_api::PartKind;

use super::*;

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let api = api(|_| {});
    let parts = &api.service().parts;
    let _parts = ["c", "a", "b"].map(|target| parts.register(PartKind::Task, target, ""));
    for (query, expected) in [
        ("", &["a", "b", "c"][..]),
        ("?start=1&count=1", &["b"]),
        ("?start=3", &[]),
    ] {
        let told = Ask::get(format!("/api/v1/parts{query}")).of(&api).await;
        let json = told.json();
        assert_eq!(json["total"], 3);
        let parts = json["parts"].as_array().unwrap();
        let targets: Vec<&str> = parts
            .iter()
            .map(|part| part["target"].as_str().unwrap())
            .collect();
        assert_eq!(targets, expected, "{query}");
    }
}
