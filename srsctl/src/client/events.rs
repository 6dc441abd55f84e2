//! The stream of events of a server.

use reqwest::Response;

use super::address::ServerAddr;
use super::error::ApiError;
use super::sse::{Message, Parser};

/// Events as the server tells them.
#[derive(Debug)]
pub(crate) struct EventStream {
    server: ServerAddr,
    response: Response,
    parser: Parser,
}

impl EventStream {
    pub(super) fn new(server: ServerAddr, response: Response) -> Self {
        Self {
            server,
            response,
            parser: Parser::default(),
        }
    }

    /// Waits for the next one; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// The stream broke off, or is none.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, ApiError> {
        loop {
            if let Some(message) = self.parser.poll_message() {
                return Ok(Some(message));
            }
            let chunk = self.response.chunk().await;
            let chunk = chunk.map_err(|error| ApiError::broken(&self.server, error))?;
            let Some(chunk) = chunk else {
                return Ok(None);
            };
            self.parser
                .handle_input(&chunk)
                .map_err(|error| ApiError::Events {
                    server: self.server.to_string(),
                    error,
                })?;
        }
    }
}
