use super::*;

#[test]
fn cookies_of_ours_are_told_by_their_whole_name() {
    for (pair, ours) in [
        ("__Host-doorward=a", true),
        ("doorward = a", true),
        ("doorward", true),
        ("__Host-doorward-form=a", true),
        ("doorward-form=a", true),
        ("xdoorward=a", false),
        ("a=doorward", false),
        ("doorward2=a", false),
    ] {
        assert_eq!(is_ours(pair.as_bytes()), ours, "{pair}");
        assert!(may_hold_ours(pair.as_bytes()));
    }
}

#[test]
fn an_open_quote_is_seen() {
    for (value, is_closed) in [
        ("for=192.0.2.1;proto=https", true),
        ("for=\"[::1]\", for=\"a\\\"b\"", true),
        ("for=\"192.0.2.1", false),
        ("for=\"a\\\"", false),
    ] {
        assert_eq!(has_closed_quotes(value.as_bytes()), is_closed, "{value}");
    }
}
