//! One target for each parser of doorward that reads what strangers write. What is asked of each is
//! in `doorward::fuzzing`, where the tests of the main crate ask it of the corpora too.

#[doc(hidden)]
pub use {doorward, libfuzzer_sys};

/// The body of a target: makes what it asks once, and asks it of every input.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        thread_local! {
            static ORACLE: $crate::doorward::fuzzing::Oracle =
                $crate::doorward::fuzzing::oracle(stringify!($name)).expect("a target");
        }
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| ORACLE.with(|ask| ask(data)));
    };
}
