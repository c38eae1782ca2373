//! The process itself, from `/proc/self`: what Prometheus' own libraries call `process_*`.

use std::{fs, str::FromStr};

/// The kernel reports CPU time to user space in this unit on every Linux architecture (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The process's use of the machine at one moment; zero where `/proc` does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) threads: u64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) open_files: u64,
    pub(super) max_files: u64,
}

impl Process {
    pub(super) fn read() -> Self {
        let text =
            |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let open_files = fs::read_dir("/proc/self/fd").map_or(0, |entries| {
            u64::try_from(entries.count()).unwrap_or(u64::MAX).saturating_sub(1) // the listing's own
        });
        Self { open_files, ..Self::parse(&text("stat"), &text("status"), &text("limits")) }
    }

    fn parse(stat: &str, status: &str, limits: &str) -> Self {
        let ticks = |place| nth::<f64>(after_name(stat), place).unwrap_or_default();
        let kibibytes = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|rest| nth::<u64>(rest, 0)).unwrap_or_default() * 1024
        };
        let max_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Self {
            cpu_seconds: (ticks(11) + ticks(12)) / TICKS_PER_SECOND, // utime, stime
            threads: nth(after_name(stat), 17).unwrap_or_default(),
            resident_bytes: kibibytes("VmRSS:"),
            virtual_bytes: kibibytes("VmSize:"),
            open_files: 0,
            max_files: max_files.and_then(|rest| nth(rest, 0)).unwrap_or_default(),
        }
    }
}

/// The fields of `/proc/self/stat` behind the program's name, which may hold spaces and brackets.
fn after_name(stat: &str) -> &str {
    stat.rsplit_once(')').map_or("", |(_, fields)| fields)
}

fn nth<T: FromStr>(fields: &str, place: usize) -> Option<T> {
    fields.split_ascii_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read_by_place_and_name() {
        let stat =
            "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0 99 100 7 18446744073709551615";
        let status = "Name:\tdoorward\nVmSize:\t  200 kB\nVmRSS:\t   8 kB\n";
        let limits =
            "Limit  Soft  Hard\nMax open files            1024                 4096     files\n";

        let process = Process::parse(stat, status, limits);

        assert_eq!(
            process,
            Process {
                cpu_seconds: 2.0,
                threads: 4,
                resident_bytes: 8192,
                virtual_bytes: 204_800,
                open_files: 0,
                max_files: 1024,
            }
        );
    }

    #[test]
    fn a_missing_file_reads_as_zero() {
        assert_eq!(Process::parse("", "", ""), Process::default());
    }

    #[test]
    fn the_running_process_is_seen() {
        let process = Process::read();

        assert!(process.resident_bytes > 0 && process.open_files > 0 && process.threads > 0);
    }
}
