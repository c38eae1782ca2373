#![no_main]
doorward_fuzz::target!(users_yaml);
