//! Every reason of a decision by name, so that each has a counter of its own.

/// The reason of what was let pass.
pub const PERMITTED: &str = "permitted";

/// The reason of what an endpoint of ours answered as it was asked to.
pub const ENDPOINT: &str = "endpoint";

/// The reason of what an endpoint of ours refused, unless it gives one of its own.
pub const ENDPOINT_REFUSED: &str = "endpoint_refused";

/// The reason of what was under way for somebody who was ended.
pub const CUT_OFF: &str = "cut_off";

/// The reason of what nobody waited for.
pub const CLIENT_GONE: &str = "client_gone";

/// What is counted for a reason that is not in the list; the list's test keeps it from being
/// needed.
const OTHER: &str = "other";

/// All reasons, in alphabetical order; the place is the index.
pub const ALL: &[&str] = &[
    "algorithm_not_allowed",
    "aliased_parameter",
    "ambiguous_home",
    "ambiguous_key",
    "ambiguous_prefix",
    "ambiguous_separator",
    "backslash",
    "bad_signature",
    "bare_line_feed",
    "body_too_large",
    "challenge_gone",
    "chunk_malformed",
    "client_body",
    "client_gone",
    "client_timeout",
    "colon",
    "condition_form",
    "content_coding",
    "content_form",
    "content_length_malformed",
    "content_length_repeated",
    "content_type",
    "control_byte",
    "control_character",
    "credential_ambiguous",
    "credential_malformed",
    "credential_missing",
    "credential_unsupported",
    "critical_extension",
    "csrf",
    "cut_off",
    "destination_form",
    "destination_host",
    "device_name",
    "dot_run",
    "dot_segment",
    "double_encoding",
    "empty_segment",
    "encoded_backslash",
    "encoded_slash",
    "endpoint",
    "endpoint_refused",
    "expectation",
    "expired",
    "field_malformed",
    "field_repeated",
    "field_type",
    "forged_field",
    "form_forged",
    "fragment",
    "frame_flood",
    "head_malformed",
    "head_timeout",
    "head_too_large",
    "home_case_variant",
    "home_empty_value",
    "home_names_nothing",
    "home_pattern",
    "host_absent_or_repeated",
    "host_mismatch",
    "host_name",
    "host_port",
    "internal",
    "invalid_percent",
    "invalid_utf8",
    "issued_in_future",
    "key_expired",
    "key_owner",
    "key_scope",
    "key_unknown",
    "key_user_mismatch",
    "length_and_encoding",
    "lifetime_too_long",
    "login_ended",
    "look_alike",
    "malformed_claims",
    "malformed_header",
    "method",
    "misdirected",
    "missing_claim",
    "missing_group",
    "missing_permission",
    "missing_role",
    "nested_encoding",
    "no_home",
    "no_route",
    "not_a_token",
    "not_absolute",
    "not_yet_valid",
    "other",
    "outside_home",
    "parameter",
    "password",
    "password_overload",
    "permitted",
    "query_in_path",
    "request_line_malformed",
    "request_line_too_long",
    "route_case_variant",
    "second_factor_missing",
    "session_expired",
    "session_forged",
    "session_user",
    "store_away",
    "target_form",
    "target_too_long",
    "throttled",
    "token_home_claim",
    "token_revoked",
    "token_subject_mismatch",
    "token_unknown_subject",
    "too_long",
    "trailing_dot_or_space",
    "transfer_encoding_repeated",
    "transfer_encoding_unknown",
    "uncanonical",
    "unchecked_condition",
    "unchecked_destination",
    "unclear_question",
    "unknown_issuer",
    "unknown_key",
    "unread_body",
    "unsupported_algorithm",
    "unsupported_header",
    "untrusted_proxy",
    "upstream_answer",
    "upstream_closed",
    "upstream_exhausted",
    "upstream_timeout",
    "upstream_unreachable",
    "user_revoked",
    "version_not_supported",
    "wrong_audience",
    "wrong_code",
    "wrong_length",
    "wrong_token_type",
    "wrong_type",
];

/// The place of a reason in [`ALL`].
#[must_use]
pub fn index(reason: &str) -> usize {
    let found = ALL.binary_search(&reason).or_else(|_| ALL.binary_search(&OTHER));
    found.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels in the `label` functions of a source text.
    fn labels(source: &str) -> Vec<&str> {
        let functions = source.split("fn label(").skip(1);
        let bodies = functions.map(|rest| rest.split("\n    }").next().unwrap());
        let arms = bodies.flat_map(|body| body.split("=> \"").skip(1));
        let fields = source.split("    label: \"").skip(1);
        arms.chain(fields).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    #[test]
    fn every_reason_has_a_place_of_its_own() {
        let sources = [
            include_str!("rejection.rs"),
            include_str!("../wire/refusal.rs"),
            include_str!("../token/verifier.rs"),
            include_str!("../resource/error.rs"),
            include_str!("../resource/spelling/rules.rs"),
            include_str!("../home.rs"),
            include_str!("../identity.rs"),
            include_str!("../identity/standing.rs"),
            include_str!("../policy.rs"),
            include_str!("../endpoint/forward_auth.rs"),
        ];

        let labels: Vec<_> = sources.iter().flat_map(|source| labels(source)).collect();

        assert!(labels.len() > 60);
        assert!(ALL.is_sorted());
        for label in labels.into_iter().chain([PERMITTED, CLIENT_GONE, OTHER]) {
            assert_eq!(ALL[index(label)], label);
        }
    }
}
