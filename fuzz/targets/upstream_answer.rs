#![no_main]
doorward_fuzz::target!(upstream_answer);
