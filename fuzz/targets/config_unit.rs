#![no_main]
doorward_fuzz::target!(config_unit);
