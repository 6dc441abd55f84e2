//! How long packets are collected before they are written.
//!
//! A write costs the kernel some microseconds, however little it writes, so what many players cost
//! is the number of writes. Collecting packets makes them fewer, and players see them later.

use std::time::Duration;

use crate::config::Merge;

/// The time for a group whose server has so many `players` for each core, and whose stream has so
/// many bytes a second.
pub(super) fn time(merge: Merge, players: usize, bytes_per_second: u64) -> Duration {
    let time = match merge {
        Merge::For(time) => time,
        Merge::Auto => {
            let players = u32::try_from(players).unwrap_or(u32::MAX);
            AUTO_PER_PLAYER.saturating_mul(players).min(AUTO_MOST)
        }
    };
    // A write of this size costs what its bytes cost; a larger one saves nothing more.
    let until_large = match bytes_per_second {
        0 => time,
        rate => Duration::from_millis(LARGE_WRITE * 1_000 / rate),
    };
    let time = time.min(until_large);
    // Timers are no finer than a millisecond.
    if time < LEAST { Duration::ZERO } else { time }
}

/// With few players a write for each packet costs little; at a few hundred it is most of what
/// there is to do.
const AUTO_PER_PLAYER: Duration = Duration::from_micros(200);
/// Half of this is what a player sees of it on average.
const AUTO_MOST: Duration = Duration::from_millis(100);
/// Bytes.
const LARGE_WRITE: u64 = 128 * 1024;
const LEAST: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_follows_the_setting_the_players_and_the_size_of_a_write() {
        let ms = Duration::from_millis;
        let fixed = |millis| Merge::For(ms(millis));
        let cases = [
            ("unmerged", fixed(0), 5_000, 62_500, ms(0)),
            ("as configured", fixed(350), 1, 62_500, ms(350)),
            ("before the rate is known", fixed(350), 1, 0, ms(350)),
            ("a large stream", fixed(350), 1, 1_310_720, ms(100)),
            ("a huge stream", fixed(350), 1, u64::MAX, ms(0)),
            ("a handful of players", Merge::Auto, 9, 62_500, ms(0)),
            ("some", Merge::Auto, 100, 62_500, ms(20)),
            ("many", Merge::Auto, 500, 62_500, ms(100)),
            ("very many", Merge::Auto, usize::MAX, 62_500, ms(100)),
        ];
        for (name, merge, players, rate, expected) in cases {
            assert_eq!(time(merge, players, rate), expected, "{name}");
        }
    }
}
