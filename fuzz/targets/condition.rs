#![no_main]
doorward_fuzz::target!(condition);
