//! The keys: what each does, and in which views. The help of a view, the manual page and the
//! dashboard itself are made from this one table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use self::Action as A;
use self::Group as G;
use self::Key::{Char, Code, Control, Twice};
use self::Place::{Everywhere, Only};
use super::page::Kind;

/// What can be done by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Shows another view, by its place among them.
    View(usize),
    NextView,
    PreviousView,
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    First,
    Last,
    Enter,
    Back,
    Filter,
    InverseFilter,
    Command,
    SortLeft,
    SortRight,
    Reverse,
    Columns,
    Mark,
    MarkAll,
    Kick,
    Logs,
    Outputs,
    Facts,
    Copy,
    Freeze,
    Faster,
    Slower,
    Range,
    Expand,
    Theme,
    Units,
    SnapshotJson,
    SnapshotText,
    Servers,
    Reload,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    /// What does it: any of these.
    pub(crate) keys: &'static [Key],
    pub(crate) action: Action,
    /// What it does, for people.
    pub(crate) help: &'static str,
    /// Where it does.
    pub(crate) place: Place,
    pub(crate) group: Group,
}

/// In which views a key does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Everywhere,
    /// Only in these.
    Only(&'static [Kind]),
}

impl Place {
    /// Whether it is there in a view of this kind.
    pub(crate) fn has(self, kind: Kind) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(kinds) => kinds.contains(&kind),
        }
    }
}

/// What belongs together in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Move,
    Find,
    Act,
    Show,
    Program,
}

impl Group {
    pub(crate) const ALL: [Self; 5] =
        [Self::Move, Self::Find, Self::Act, Self::Show, Self::Program];

    /// The heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Find => "Find",
            Self::Act => "Act",
            Self::Show => "Show",
            Self::Program => "Program",
        }
    }
}

/// A key, with what is held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Control(char),
    Code(KeyCode),
    /// The same key twice.
    Twice(char),
}

impl Key {
    fn is(self, event: KeyEvent) -> bool {
        let is_control = event.modifiers.contains(KeyModifiers::CONTROL);
        let is_alt = event.modifiers.contains(KeyModifiers::ALT);
        match (self, event.code) {
            (Self::Char(wanted), KeyCode::Char(c)) => wanted == c && !is_control && !is_alt,
            (Self::Control(wanted), KeyCode::Char(c)) => {
                wanted == c.to_ascii_lowercase() && is_control
            }
            (Self::Code(wanted), code) => wanted == code,
            _ => false,
        }
    }

    /// The key, as people write it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Char(' ') => "Space".to_owned(),
            Self::Char(c) => c.to_string(),
            Self::Control(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Self::Twice(c) => format!("{c}{c}"),
            Self::Code(code) => match code {
                KeyCode::F(number) => format!("F{number}"),
                KeyCode::PageUp => "PgUp".to_owned(),
                KeyCode::PageDown => "PgDn".to_owned(),
                KeyCode::Up => "Up".to_owned(),
                KeyCode::Down => "Down".to_owned(),
                KeyCode::Left => "Left".to_owned(),
                KeyCode::Right => "Right".to_owned(),
                KeyCode::BackTab => "Shift-Tab".to_owned(),
                code => format!("{code:?}"),
            },
        }
    }
}

/// What `event` does in a view of this kind. `before` is the key before it, if that was a
/// character that did nothing yet.
pub(crate) fn action(event: KeyEvent, before: Option<char>, kind: Kind) -> Option<Action> {
    let is = |key: &Key| match (*key, before, event.code) {
        (Twice(wanted), Some(first), KeyCode::Char(second)) => first == wanted && second == wanted,
        (Twice(_), ..) => false,
        (key, ..) => key.is(event),
    };
    let here = KEYS.iter().filter(|binding| binding.place.has(kind));
    here.clone()
        .find(|binding| binding.keys.iter().any(is))
        .map(|binding| binding.action)
}

/// Whether a key does this in a view of this kind.
pub(crate) fn has(action: Action, kind: Kind) -> bool {
    KEYS.iter()
        .any(|binding| binding.action == action && binding.place.has(kind))
}

/// What `event` does whatever is open.
pub(crate) fn always(event: KeyEvent) -> Option<Action> {
    let is_always = |action: &Action| matches!(action, Action::Redraw | Action::Suspend);
    action(event, None, Kind::Streams).filter(is_always)
}

/// What `event` does while a question, a choice or a text is open, by one of the tables below.
pub(crate) fn answer<A: Copy>(event: KeyEvent, table: &[Entry<A>]) -> Option<A> {
    let entry = table
        .iter()
        .find(|entry| entry.keys.iter().any(|key| key.is(event)));
    entry.map(|entry| entry.does)
}

/// Whether `event` may be the first of a key that is pressed twice.
pub(crate) fn begins(event: KeyEvent, kind: Kind) -> Option<char> {
    let KeyCode::Char(c) = event.code else {
        return None;
    };
    let here = KEYS.iter().filter(|binding| binding.place.has(kind));
    let is_first = |key: &Key| matches!(key, Twice(wanted) if *wanted == c);
    here.clone()
        .any(|binding| binding.keys.iter().any(is_first))
        .then_some(c)
}

/// Keys, as people write them.
pub(crate) fn names(keys: &[Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| key.name()).collect();
    names.join(" ")
}

/// A line of a table of keys that are for what is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<A: 'static> {
    pub(crate) keys: &'static [Key],
    pub(crate) does: A,
    /// What they do, for people.
    pub(crate) help: &'static str,
}

/// What keys do in questions and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    Close,
    Up,
    Down,
    PageUp,
    PageDown,
}

/// What keys do in the choice of columns, beside those of [`TEXT_KEYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Toggle,
    MoveDown,
    MoveUp,
    Usual,
    Done,
}

/// What keys do in a line that is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Done,
    Cancel,
    DeleteBefore,
    Delete,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    Left,
    Right,
    Start,
    End,
    Complete,
    Recall,
}

const fn binding(
    keys: &'static [Key],
    action: Action,
    place: Place,
    group: Group,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        action,
        help,
        place,
        group,
    }
}

const SORTABLE: Place = Only(&[
    Kind::Streams,
    Kind::Clients,
    Kind::Vhosts,
    Kind::Parts,
    Kind::Fleet,
    Kind::Stream,
]);
const KICKABLE: Place = Only(&[Kind::Streams, Kind::Clients, Kind::Stream, Kind::Client]);
const GRAPHS: Place = Only(&[Kind::Stream, Kind::Client]);

/// Every key. Where two of them would do something in one view, the first one counts.
pub(crate) const KEYS: &[Binding] = &[
    binding(
        &[Char('j'), Code(KeyCode::Down)],
        A::Down,
        Everywhere,
        G::Move,
        "down",
    ),
    binding(
        &[Char('k'), Code(KeyCode::Up)],
        A::Up,
        Everywhere,
        G::Move,
        "up",
    ),
    binding(
        &[Control('d')],
        A::HalfDown,
        Everywhere,
        G::Move,
        "half a page down",
    ),
    binding(
        &[Control('u')],
        A::HalfUp,
        Everywhere,
        G::Move,
        "half a page up",
    ),
    binding(
        &[Code(KeyCode::PageDown), Control('f')],
        A::PageDown,
        Everywhere,
        G::Move,
        "a page down",
    ),
    binding(
        &[Code(KeyCode::PageUp), Control('b')],
        A::PageUp,
        Everywhere,
        G::Move,
        "a page up",
    ),
    binding(
        &[Code(KeyCode::Home)],
        A::First,
        Everywhere,
        G::Move,
        "to the first row",
    ),
    binding(
        &[Twice('g')],
        A::First,
        Only(&Kind::VIEWS),
        G::Move,
        "to the first row",
    ),
    binding(
        &[Code(KeyCode::End), Char('G')],
        A::Last,
        Everywhere,
        G::Move,
        "to the last row",
    ),
    binding(
        &[Code(KeyCode::Enter), Char('d')],
        A::Enter,
        Everywhere,
        G::Move,
        "all about the row: stream, client, the streams of a vhost, a server of the fleet",
    ),
    binding(&[Code(KeyCode::Esc)], A::Back, Everywhere, G::Move, "back"),
    binding(&[Char('1')], A::View(0), Everywhere, G::Move, "streams"),
    binding(&[Char('2')], A::View(1), Everywhere, G::Move, "clients"),
    binding(
        &[Char('3')],
        A::View(2),
        Everywhere,
        G::Move,
        "virtual hosts",
    ),
    binding(
        &[Char('4')],
        A::View(3),
        Everywhere,
        G::Move,
        "parts of the server: outputs, peers, processes, listeners",
    ),
    binding(&[Char('5')], A::View(4), Everywhere, G::Move, "events"),
    binding(&[Char('6')], A::View(5), Everywhere, G::Move, "the log"),
    binding(&[Char('7')], A::View(6), Everywhere, G::Move, "the fleet"),
    binding(
        &[Code(KeyCode::Tab), Char(']'), Code(KeyCode::Right)],
        A::NextView,
        Everywhere,
        G::Move,
        "the next view",
    ),
    binding(
        &[Code(KeyCode::BackTab), Char('['), Code(KeyCode::Left)],
        A::PreviousView,
        Everywhere,
        G::Move,
        "the view before",
    ),
    binding(
        &[Char('/')],
        A::Filter,
        Everywhere,
        G::Find,
        "only rows that match a regular expression, as it is typed; an empty one ends it",
    ),
    binding(
        &[Char('!')],
        A::InverseFilter,
        Everywhere,
        G::Find,
        "only rows that do not match; /! does the same",
    ),
    binding(
        &[Char(':')],
        A::Command,
        Everywhere,
        G::Find,
        "type a command, as in :streams live/",
    ),
    binding(
        &[Char('>'), Char('s')],
        A::SortRight,
        SORTABLE,
        G::Find,
        "sort by the next column",
    ),
    binding(
        &[Char('<')],
        A::SortLeft,
        SORTABLE,
        G::Find,
        "sort by the column before",
    ),
    binding(
        &[Char('r')],
        A::Reverse,
        SORTABLE,
        G::Find,
        "the other way round",
    ),
    binding(
        &[Char(' ')],
        A::Mark,
        KICKABLE_LISTS,
        G::Act,
        "mark the row, or not any more",
    ),
    binding(
        &[Char('*')],
        A::MarkAll,
        KICKABLE_LISTS,
        G::Act,
        "mark all rows that the filter shows, or none",
    ),
    binding(
        &[Char('K')],
        A::Kick,
        KICKABLE,
        G::Act,
        "cut off the marked clients, or the one of the row, after a question",
    ),
    binding(
        &[Control('r')],
        A::Reload,
        Everywhere,
        G::Act,
        "reload the configuration, after a look at what would change",
    ),
    binding(
        &[Char('y')],
        A::Copy,
        Only(&[Kind::Streams, Kind::Clients, Kind::Stream, Kind::Client]),
        G::Act,
        "copy the play URL to the terminal's clipboard",
    ),
    binding(
        &[Char('w')],
        A::SnapshotJson,
        Everywhere,
        G::Act,
        "write a snapshot as JSON",
    ),
    binding(
        &[Char('W')],
        A::SnapshotText,
        Everywhere,
        G::Act,
        "write the screen as text",
    ),
    binding(
        &[Char('l')],
        A::Logs,
        Only(&[
            Kind::Streams,
            Kind::Clients,
            Kind::Events,
            Kind::Stream,
            Kind::Client,
        ]),
        G::Show,
        "the log of the row's stream or client",
    ),
    binding(
        &[Char('o')],
        A::Outputs,
        Only(&[Kind::Streams, Kind::Stream]),
        G::Show,
        "the outputs of the stream, and how they are",
    ),
    binding(
        &[Char('i')],
        A::Facts,
        GRAPHS,
        G::Show,
        "all that is known of it: metadata, parameter sets",
    ),
    binding(
        &[Char('c')],
        A::Columns,
        Everywhere,
        G::Show,
        "choose columns",
    ),
    binding(
        &[Char('g')],
        A::Range,
        GRAPHS,
        G::Show,
        "graphs over 1, 5, 15 or 60 minutes",
    ),
    binding(
        &[Char('e')],
        A::Expand,
        Everywhere,
        G::Show,
        "the table alone, or everything",
    ),
    binding(
        &[Char('f'), Char('p')],
        A::Freeze,
        Everywhere,
        G::Show,
        "freeze the screen, or go on",
    ),
    binding(
        &[Char('+')],
        A::Slower,
        Everywhere,
        G::Show,
        "ask less often: up to 10 s",
    ),
    binding(
        &[Char('-')],
        A::Faster,
        Everywhere,
        G::Show,
        "ask more often: down to 0.25 s",
    ),
    binding(
        &[Char('u')],
        A::Units,
        Everywhere,
        G::Show,
        "bits or bytes per second",
    ),
    binding(
        &[Char('t')],
        A::Theme,
        Everywhere,
        G::Show,
        "the next theme",
    ),
    binding(
        &[Char('S')],
        A::Servers,
        Everywhere,
        G::Program,
        "the next server of --server",
    ),
    binding(
        &[Char('?'), Code(KeyCode::F(1))],
        A::Help,
        Everywhere,
        G::Program,
        "the keys of this view",
    ),
    binding(
        &[Control('l')],
        A::Redraw,
        Everywhere,
        G::Program,
        "draw the screen anew",
    ),
    binding(
        &[Control('z')],
        A::Suspend,
        Everywhere,
        G::Program,
        "stop, until fg",
    ),
    binding(
        &[Char('q'), Control('c')],
        A::Quit,
        Everywhere,
        G::Program,
        "quit",
    ),
];

const KICKABLE_LISTS: Place = Only(&[Kind::Streams, Kind::Clients, Kind::Stream]);

const fn entry<A>(keys: &'static [Key], does: A, help: &'static str) -> Entry<A> {
    Entry { keys, does, help }
}

/// The keys of questions and texts.
pub(crate) const TEXT_KEYS: &[Entry<Answer>] = &[
    entry(&[Char('y')], Answer::Yes, "yes, to a question"),
    entry(
        &[Code(KeyCode::Esc), Char('n'), Char('q'), Control('c')],
        Answer::Close,
        "no, or back",
    ),
    entry(
        &[Char('j'), Code(KeyCode::Down)],
        Answer::Down,
        "a line down",
    ),
    entry(&[Char('k'), Code(KeyCode::Up)], Answer::Up, "a line up"),
    entry(
        &[Code(KeyCode::PageDown), Control('d'), Control('f')],
        Answer::PageDown,
        "some lines down",
    ),
    entry(
        &[Code(KeyCode::PageUp), Control('u'), Control('b')],
        Answer::PageUp,
        "some lines up",
    ),
];

/// The keys of the choice of columns.
pub(crate) const COLUMN_KEYS: &[Entry<Choice>] = &[
    entry(&[Char(' ')], Choice::Toggle, "show or hide the column"),
    entry(&[Char('J')], Choice::MoveDown, "move it to the right"),
    entry(&[Char('K')], Choice::MoveUp, "move it to the left"),
    entry(&[Char('r')], Choice::Usual, "the usual columns"),
    entry(&[Code(KeyCode::Enter), Char('c')], Choice::Done, "done"),
];

/// The keys of a filter or a command that is typed.
pub(crate) const LINE_KEYS: &[Entry<Edit>] = &[
    entry(&[Code(KeyCode::Enter)], Edit::Done, "take it"),
    entry(
        &[Code(KeyCode::Esc), Control('c'), Control('g')],
        Edit::Cancel,
        "leave it as it was",
    ),
    entry(&[Code(KeyCode::Tab)], Edit::Complete, "complete a command"),
    entry(&[Code(KeyCode::Up)], Edit::Recall, "the command before"),
    entry(
        &[Code(KeyCode::Backspace), Control('h')],
        Edit::DeleteBefore,
        "delete the character before; in an empty line, leave it",
    ),
    entry(
        &[Code(KeyCode::Delete)],
        Edit::Delete,
        "delete the character",
    ),
    entry(&[Control('w')], Edit::DeleteWord, "delete the word before"),
    entry(&[Control('u')], Edit::DeleteToStart, "delete all before"),
    entry(&[Control('k')], Edit::DeleteToEnd, "delete all behind"),
    entry(&[Code(KeyCode::Left)], Edit::Left, "to the left"),
    entry(&[Code(KeyCode::Right)], Edit::Right, "to the right"),
    entry(
        &[Code(KeyCode::Home), Control('a')],
        Edit::Start,
        "to the beginning",
    ),
    entry(&[Code(KeyCode::End), Control('e')], Edit::End, "to the end"),
];

/// What the mouse does.
pub(crate) const MOUSE: [(&str, &str); 4] = [
    ("wheel", "three rows up or down"),
    (
        "click on a row",
        "selects it; opens the one that is selected",
    ),
    (
        "click on a heading",
        "sorts by the column; once more, the other way round",
    ),
    ("click on a view", "shows it"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_in_one_view() {
        for kind in Kind::ALL {
            let mut seen: Vec<(Key, Action)> = Vec::new();
            for binding in KEYS.iter().filter(|binding| binding.place.has(kind)) {
                for key in binding.keys {
                    let other = seen.iter().find(|(known, _)| known == key);
                    assert_eq!(other, None, "{} in {kind:?}", key.name());
                    seen.push((*key, binding.action));
                }
            }
            // Who presses a key twice must see nothing after the first time.
            for (key, _) in &seen {
                if let Twice(c) = key {
                    let single = seen.iter().find(|(known, _)| *known == Char(*c));
                    assert_eq!(single, None, "{c} in {kind:?}");
                }
            }
        }
    }

    #[test]
    fn keys_mean_what_the_table_says() {
        let char = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        let upper = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT);
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        let cases = [
            (char('k'), None, Kind::Streams, Some(Action::Up)),
            (upper('K'), None, Kind::Streams, Some(Action::Kick)),
            (upper('K'), None, Kind::Vhosts, None),
            (char('g'), None, Kind::Streams, None),
            (char('g'), Some('g'), Kind::Streams, Some(Action::First)),
            (char('g'), None, Kind::Stream, Some(Action::Range)),
            (control('c'), None, Kind::Logs, Some(Action::Quit)),
            (char('c'), None, Kind::Logs, Some(Action::Columns)),
            (control('d'), None, Kind::Logs, Some(Action::HalfDown)),
            (KeyCode::F(1).into(), None, Kind::Logs, Some(Action::Help)),
            (KeyCode::F(5).into(), None, Kind::Logs, None),
        ];
        for (event, before, kind, expected) in cases {
            assert_eq!(action(event, before, kind), expected, "{event:?} {kind:?}");
        }
        assert_eq!(begins(char('g'), Kind::Streams), Some('g'));
        assert_eq!(begins(char('j'), Kind::Streams), None);
    }

    #[test]
    fn keys_have_the_names_that_people_use() {
        let cases = [
            (Char(' '), "Space"),
            (Control('r'), "Ctrl-R"),
            (Code(KeyCode::PageUp), "PgUp"),
            (Code(KeyCode::BackTab), "Shift-Tab"),
            (Code(KeyCode::Enter), "Enter"),
            (Twice('g'), "gg"),
        ];
        for (key, name) in cases {
            assert_eq!(key.name(), name);
        }
    }
}
