//! `srsctl clients kick`: ends sessions of clients.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use serde::Serialize;
use srs_api::{Client as ApiClient, ClientRole};

use super::stream;
use crate::cli::Kick;
use crate::client::{ApiError, Client};
use crate::command::Error;
use crate::output::text::printable;
use crate::output::units::Elapsed;
use crate::output::{Report, Terminal};

/// What became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Kicked {
    /// Those that were cut off, as they were before.
    kicked: Vec<ApiClient>,
    /// Ids that no client has.
    not_found: Vec<String>,
    /// Why the others were not tried.
    #[serde(skip)]
    failure: Option<ApiError>,
}

impl Kicked {
    /// Whether all of them were there and are not any more.
    ///
    /// # Errors
    /// [`Error::Nothing`]: one was not there; or why the server did not go on.
    pub(crate) fn check(self) -> Result<(), Error> {
        if let Some(failure) = self.failure {
            return Err(failure.into());
        }
        if self.not_found.is_empty() {
            return Ok(());
        }
        let plural = if self.not_found.len() == 1 { "" } else { "s" };
        Err(Error::Nothing {
            what: format!("client{plural} {}", self.not_found.join(", ")),
            list: "srsctl clients",
        })
    }
}

/// Asks the user unless that is settled, and cuts the clients off.
///
/// # Errors
/// The server does not answer; [`Error::NeedsYes`], [`Error::Declined`]: nothing was done.
pub(crate) async fn run(client: &Client, arguments: &Kick) -> Result<Kicked, Error> {
    client.may_change()?;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !arguments.yes && !can_ask {
        return Err(Error::NeedsYes);
    }
    let mut result = Kicked {
        kicked: Vec::new(),
        not_found: Vec::new(),
        failure: None,
    };
    let mut victims = Vec::new();
    for (index, id) in arguments.ids.iter().enumerate() {
        if arguments.ids.iter().take(index).any(|known| known == id) {
            continue;
        }
        match client.client(id).await {
            Ok(answer) => victims.push(answer.client),
            Err(error) if error.is_not_found() => result.not_found.push(id.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    if !arguments.yes && !victims.is_empty() {
        let mut question = String::new();
        for victim in &victims {
            let viewers = viewers(client, victim).await;
            question += &format!("  {}\n", description(victim, viewers));
        }
        ask(&question, victims.len())?;
    }
    for victim in victims {
        match client.kick(&victim.id).await {
            Ok(()) => result.kicked.push(victim),
            // It went by itself meanwhile.
            Err(error) if error.is_not_found() => result.not_found.push(victim.id),
            // Those that are cut off already must be told all the same.
            Err(error) => {
                result.failure = Some(error);
                break;
            }
        }
    }
    Ok(result)
}

/// How many watch what a client publishes; none if that cannot be told.
async fn viewers(client: &Client, victim: &ApiClient) -> Option<usize> {
    if !victim.publish || victim.stream.is_empty() {
        return None;
    }
    let answer = client.stream(&victim.stream).await.ok()?;
    Some(answer.stream.viewers)
}

/// `104 publishes live/show to 12 viewers, from 192.0.2.7, for 3m 12s`.
pub(crate) fn description(client: &ApiClient, viewers: Option<usize>) -> String {
    let does = match client.role {
        ClientRole::Unknown => "is connected",
        ClientRole::FmlePublish | ClientRole::FlashPublish => "publishes",
        ClientRole::Play => "plays",
    };
    let mut text = format!("{} {does}", client.id);
    let stream = stream(client);
    if !stream.is_empty() {
        text += &format!(" {stream}");
    }
    match viewers {
        Some(1) => text += " to 1 viewer",
        Some(viewers) => text += &format!(" to {viewers} viewers"),
        None => {}
    }
    text += &format!(
        ", from {}, for {}",
        client.ip,
        Elapsed::seconds(client.alive)
    );
    printable(&text).into_owned()
}

/// Waits for a yes.
fn ask(victims: &str, number: usize) -> Result<(), Error> {
    let these = match number {
        1 => "this client".to_owned(),
        number => format!("these {number} clients"),
    };
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{victims}Cut off {these}? [y/N] ");
    let _ = stderr.flush();
    // Nothing else runs that could be held up, and Ctrl-C ends the program as usual.
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim().to_ascii_lowercase();
    match read {
        Ok(_) if answer == "y" || answer == "yes" => Ok(()),
        _ => Err(Error::Declined),
    }
}

impl Report for Kicked {
    fn text(&self, _terminal: &Terminal) -> String {
        let line = |client: &ApiClient| format!("cut off: {}\n", description(client, None));
        self.kicked.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::client;
    use super::*;

    #[test]
    fn the_question_says_whom_it_concerns() {
        let publisher = client("104", ClientRole::FmlePublish);
        let player = client("105", ClientRole::Play);
        let cases = [
            (
                description(&publisher, Some(12)),
                "104 publishes live/show to 12 viewers, from 192.0.2.7, for 3m 12s",
            ),
            (
                description(&publisher, Some(1)),
                "104 publishes live/show to 1 viewer, from 192.0.2.7, for 3m 12s",
            ),
            (
                description(&player, None),
                "105 plays live/show, from 192.0.2.7, for 3m 12s",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn ids_that_nobody_has_are_named() {
        let result = |not_found: &[&str]| Kicked {
            kicked: Vec::new(),
            not_found: not_found.iter().map(ToString::to_string).collect(),
            failure: None,
        };
        assert!(result(&[]).check().is_ok());
        let error = result(&["9", "10"]).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no clients 9, 10; srsctl clients lists those that there are"
        );
    }
}
