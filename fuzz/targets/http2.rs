#![no_main]
doorward_fuzz::target!(http2);
