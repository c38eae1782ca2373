//! Messages that two readers end in different places (section S).
