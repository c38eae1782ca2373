//! Times and durations, for people.

use std::time::{Duration, UNIX_EPOCH};

/// One lifetime to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// In seconds; `0`: for ever.
    pub(super) seconds: u64,
    /// For people.
    pub(super) text: String,
    /// Whether it is chosen unless another is.
    pub(super) chosen: bool,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const USUAL: [u64; 9] =
    [15 * MINUTE, HOUR, 8 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 365 * DAY];

/// The usual lifetimes up to `most`, and `usual` among them, which is chosen. Without a bound
/// there is "until it is revoked" as well, and nothing below a day.
pub(super) fn choices(usual: Duration, most: Option<Duration>) -> Vec<Choice> {
    let usual = usual.as_secs();
    let least = if most.is_some() { 0 } else { DAY };
    let most_seconds = most.map_or(u64::MAX, |most| most.as_secs());
    let mut seconds: Vec<u64> = USUAL.into_iter().chain([usual]).collect();
    seconds.extend(most.map(|most| most.as_secs()));
    seconds.retain(|&seconds| (least..=most_seconds).contains(&seconds));
    seconds.sort_unstable();
    seconds.dedup();
    let choice = |seconds| Choice { seconds, text: length(seconds), chosen: seconds == usual };
    let mut choices = seconds.into_iter().map(choice).collect::<Vec<_>>();
    if most.is_none() {
        choices.push(Choice { seconds: 0, text: "until it is revoked".to_owned(), chosen: false });
    }
    choices
}

/// A duration in the largest unit that divides it.
fn length(seconds: u64) -> String {
    let units = [(365 * DAY, "year"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")];
    let fitting = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (count, unit) = fitting.map_or((seconds, "second"), |(unit, name)| (seconds / unit, name));
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

/// A moment (Unix seconds) to the minute, in UTC.
pub(super) fn moment(seconds: u64) -> String {
    let Some(time) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(MAX))) else {
        return "never".to_owned();
    };
    let text = humantime::format_rfc3339_seconds(time).to_string();
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        None => text,
    }
}

/// The last second of the year 9999.
const MAX: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_end_at_the_bound_and_one_is_chosen() {
        let choices = choices(Duration::from_hours(2), Some(Duration::from_hours(48)));
        let texts = choices.iter().map(|choice| choice.text.as_str()).collect::<Vec<_>>();

        assert_eq!(texts, ["15 minutes", "1 hour", "2 hours", "8 hours", "1 day", "2 days"]);
        let chosen = choices.iter().filter(|choice| choice.chosen).collect::<Vec<_>>();
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0].seconds, 7200);
    }

    #[test]
    fn what_has_no_bound_may_last_until_it_is_revoked() {
        let choices = choices(Duration::from_hours(90 * 24), None);
        let texts = choices.iter().map(|choice| choice.text.as_str()).collect::<Vec<_>>();

        assert_eq!(
            texts,
            ["1 day", "7 days", "30 days", "90 days", "180 days", "1 year", "until it is revoked"]
        );
    }

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(moment(1_800_000_000), "2027-01-15 08:00 UTC");
        assert_eq!(moment(u64::MAX), "9999-12-31 23:59 UTC");
        assert_eq!(length(61), "61 seconds");
    }
}
