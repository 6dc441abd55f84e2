//! What the lists of the API have in common.

use serde::de::DeserializeOwned;
use srs_api::{
    Client, ClientsAnswer, Part, PartsAnswer, Server, ServersAnswer, Stream, StreamsAnswer, Vhost,
    VhostsAnswer,
};

/// An answer that is a page of a list.
pub(super) trait List: DeserializeOwned {
    /// What is listed.
    type Item;

    /// How many there are on all pages.
    fn total(&self) -> usize;

    /// Those of the page.
    fn items(&mut self) -> &mut Vec<Self::Item>;

    /// Puts the items of the next page behind those of this one. What came or went between the two
    /// answers may have moved some onto both pages: those are taken once.
    fn append(&mut self, next: Self);
}

macro_rules! list {
    ($answer:ty, $field:ident: $item:ty, $id:ident) => {
        impl List for $answer {
            type Item = $item;

            fn total(&self) -> usize {
                self.total
            }

            fn items(&mut self) -> &mut Vec<$item> {
                &mut self.$field
            }

            fn append(&mut self, next: Self) {
                self.total = next.total;
                for item in next.$field {
                    if !self
                        .$field
                        .iter()
                        .rev()
                        .take(OVERLAP)
                        .any(|known| known.$id == item.$id)
                    {
                        self.$field.push(item);
                    }
                }
            }
        }
    };
}

list!(VhostsAnswer, vhosts: Vhost, id);
list!(StreamsAnswer, streams: Stream, id);
list!(ClientsAnswer, clients: Client, id);
list!(ServersAnswer, servers: Server, device_id);
list!(PartsAnswer, parts: Part, id);

/// So many may have moved between two pages.
const OVERLAP: usize = 100;
