use super::*;

#[test]
fn a_wait_is_told_in_words() {
    for (seconds, words) in
        [(1, "1 second."), (8, "8 seconds."), (119, "119 seconds."), (121, "3 minutes.")]
    {
        assert!(slow_down(seconds).ends_with(words), "{seconds}");
    }
}
