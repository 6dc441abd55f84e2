//! Where everything stands. Asked by whoever draws, and by whoever must know how many rows are
//! seen or what was clicked.

use ratatui::layout::Rect;

use crate::top::app::App;
use crate::top::page::Kind;

/// Where everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    /// The server at a glance.
    pub(crate) header: Rect,
    /// What is wrong with it; empty as long as nothing is.
    pub(crate) banner: Rect,
    /// The views.
    pub(crate) tabs: Rect,
    /// Where the user is, and what is shown of it.
    pub(crate) trail: Rect,
    /// What is known of a stream or a client.
    pub(crate) detail: Rect,
    /// The table, with its headings in the first row.
    pub(crate) table: Rect,
    /// The line for keys, messages, and what is typed.
    pub(crate) footer: Rect,
}

/// The smallest terminal on which something can be read.
pub(crate) const LEAST: (u16, u16) = (60, 15);

/// Where everything stands; `None` where there is no room for it.
pub(crate) fn areas(app: &App) -> Option<Areas> {
    let (width, height) = app.size;
    if width < LEAST.0 || height < LEAST.1 && !app.is_still {
        return None;
    }
    let mut y = 0;
    let mut take = |rows: u16| {
        let area = Rect::new(0, y, width, rows);
        y += rows;
        area
    };
    let header = take(header_rows(app));
    let banner = take(u16::from(super::header::banner(app).is_some()));
    let around = u16::from(!app.is_still);
    let tabs = take(around);
    let trail = take(around);
    let left = height.saturating_sub(header.height + banner.height + 3 * around);
    let detail = take(detail_rows(app, left));
    let table = take(left - detail.height);
    let footer = take(around);
    Some(Areas {
        header,
        banner,
        tabs,
        trail,
        detail,
        table,
        footer,
    })
}

/// The rows of the table that are seen, without its headings.
pub(crate) fn rows(app: &App) -> usize {
    areas(app).map_or(1, |areas| usize::from(areas.table.height.saturating_sub(1)))
}

fn header_rows(app: &App) -> u16 {
    let (width, height) = app.size;
    match () {
        () if app.is_expanded => 1,
        () if app.is_still => 4,
        () if height < 24 || width < 80 => 2,
        () if height < 40 => 4,
        () => WITH_GRAPHS,
    }
}

fn detail_rows(app: &App, left: u16) -> u16 {
    let is_detail = matches!(app.page().kind, Kind::Stream | Kind::Client);
    if !is_detail || app.is_expanded {
        return 0;
    }
    let most = left.saturating_sub(LEAST_TABLE);
    (left.min(2 * MOST_DETAIL) * 6 / 10)
        .min(MOST_DETAIL)
        .min(most)
}

/// The rows of the header of a large terminal: three lines, and graphs.
pub(crate) const WITH_GRAPHS: u16 = 3 + 6;
/// The rows of a page to print beside those of its table: the header, a banner, the headings, and
/// a remark if the table is empty.
pub(crate) const STILL: u16 = 8;
/// Headings and three rows.
const LEAST_TABLE: u16 = 4;
const MOST_DETAIL: u16 = 26;
