#![no_main]
doorward_fuzz::target!(api_key);
