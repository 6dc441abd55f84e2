//! The rows of whatever table is shown, whatever it lists.

/// `$body` with `$rows` as the rows of the table `$table` of `$data`; with `mut` as rows that can be
/// changed.
macro_rules! with_rows {
    (mut $data:expr, $table:expr, $rows:ident => $body:expr) => {
        $crate::top::rows::with_rows!(@ (&mut) $data, $table, $rows => $body)
    };
    (@ ($($borrow:tt)+) $data:expr, $table:expr, $rows:ident => $body:expr) => {{
        let data = $data;
        match $table {
            $crate::top::page::Table::Streams => { let $rows = $($borrow)+ data.streams; $body }
            $crate::top::page::Table::Clients => { let $rows = $($borrow)+ data.clients; $body }
            $crate::top::page::Table::Vhosts => { let $rows = $($borrow)+ data.vhosts; $body }
            $crate::top::page::Table::Parts => { let $rows = $($borrow)+ data.parts; $body }
            $crate::top::page::Table::Events => { let $rows = $($borrow)+ data.events; $body }
            $crate::top::page::Table::Logs => { let $rows = $($borrow)+ data.logs; $body }
            $crate::top::page::Table::Fleet => { let $rows = $($borrow)+ data.fleet; $body }
        }
    }};
    ($data:expr, $table:expr, $rows:ident => $body:expr) => {
        $crate::top::rows::with_rows!(@ (&) $data, $table, $rows => $body)
    };
}
pub(crate) use with_rows;
