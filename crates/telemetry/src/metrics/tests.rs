use std::collections::{BTreeMap, BTreeSet};

use metrics::{counter, histogram};

use super::*;

/// Text after every metric was recorded once.
fn rendered() -> String {
    let (recorder, handle) = recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        describe();
        for metric in METRICS {
            match metric.kind {
                MetricKind::Counter => counter!(metric.name, "outcome" => "a\"b\\c\nd").increment(2),
                MetricKind::Gauge => gauge!(metric.name).set(1.5),
                MetricKind::Histogram => histogram!(metric.name).record(0.02),
            }
        }
    });
    handle.run_upkeep();
    Metrics(handle).render()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Labels of a series: `{a="b",c="d"}` with the escapes of the text format.
fn labels(series: &str) -> BTreeMap<&str, &str> {
    let mut labels = BTreeMap::new();
    let Some((_, mut rest)) = series.split_once('{') else {
        return labels;
    };
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").unwrap();
        let mut escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (value, after) = after.split_at(end.unwrap());
        assert!(is_name(name) && labels.insert(name, value).is_none(), "{series}");
        let after = &after[1..];
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    labels
}

/// A family of metrics in the text format.
#[derive(Default)]
struct Family<'a> {
    help: &'a str,
    kind: &'a str,
    /// Series and value of each sample.
    samples: Vec<(&'a str, f64)>,
}

/// Parses the text format strictly: HELP, TYPE and all samples of a metric follow one another, each series occurs once.
fn parsed(text: &str) -> BTreeMap<&str, Family<'_>> {
    assert!(text.ends_with('\n'));
    let mut families = BTreeMap::<&str, Family<'_>>::new();
    let mut series_seen = BTreeSet::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            let family = Family {
                help,
                ..Family::default()
            };
            assert!(families.insert(name, family).is_none(), "{line}");
            current = name;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, current, "TYPE without HELP: {line}");
            let family = families.get_mut(name).unwrap();
            assert!(family.kind.is_empty() && family.samples.is_empty(), "{line}");
            family.kind = kind;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(series_seen.insert(series), "{line}");
            let name = series.split('{').next().unwrap();
            let family = families.get_mut(current).unwrap();
            let suffix = name.strip_prefix(current).unwrap_or_else(|| panic!("{line}"));
            match family.kind {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                "counter" | "gauge" => assert_eq!(suffix, "", "{line}"),
                kind => panic!("{kind}: {line}"),
            }
            family.samples.push((series, value.parse().unwrap()));
        }
    }
    families
}

/// The rules of `promtool check metrics` (`client_golang`, `prometheus/testutil/promlint/validations`).
#[test]
fn promtools_rules_hold_for_every_metric() {
    let text = rendered();
    let families = parsed(&text);
    for metric in METRICS {
        let name = metric.full_name();
        let family = families.get(name.as_str()).unwrap_or_else(|| panic!("{name}"));
        assert!(!family.samples.is_empty(), "{name}");
    }
    for (name, family) in families {
        assert!(is_name(name) && !name.contains("__"), "{name}");
        assert!(!family.help.is_empty(), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name}");
        for suffix in ["_bucket", "_count", "_sum"] {
            assert!(!name.ends_with(suffix), "{name}");
        }
        for word in name.split('_') {
            for unit in [
                "ms",
                "s",
                "sec",
                "secs",
                "milliseconds",
                "microseconds",
                "nanoseconds",
                "minutes",
                "hours",
                "days",
                "kb",
                "mb",
                "kilobytes",
                "megabytes",
                "kibibytes",
                "bits",
                "percent",
                "celsius",
                "counter",
                "gauge",
                "histogram",
                "summary",
                "metric",
            ] {
                assert_ne!(word, unit, "{name}");
            }
        }
        for (series, value) in &family.samples {
            let labels = labels(series);
            assert!(!labels.contains_key("quantile"), "{series}");
            assert_eq!(labels.contains_key("le"), series.contains("_bucket{"), "{series}");
            assert!(family.kind == "gauge" || *value >= 0.0, "{series} {value}");
        }
    }
}

#[test]
fn names_start_with_the_programs_name_except_those_of_the_process() {
    let text = rendered();
    for name in parsed(&text).keys() {
        assert!(
            name.starts_with("rapidphoto_") || name.starts_with("process_"),
            "{name}"
        );
    }
}

#[test]
fn the_catalogue_is_consistent() {
    let mut names = BTreeSet::new();
    for metric in METRICS {
        let Metric {
            name,
            kind,
            unit,
            help,
            buckets,
        } = metric;
        assert!(names.insert(name), "{name} is listed twice");
        assert!(!name.starts_with(PREFIX), "{name}: the recorder adds the prefix");
        assert_eq!(name.ends_with("_seconds"), *unit == Some(Unit::Seconds), "{name}");
        assert_eq!(*kind == MetricKind::Histogram, !buckets.is_empty(), "{name}");
        assert!(buckets.is_sorted() && buckets.len() < 15, "{name}");
        assert!(
            help.len() > 10 && !help.ends_with('.') && !help.contains('\n'),
            "{name}: {help}"
        );
    }
}

#[test]
fn durations_have_the_buckets_of_their_metric() {
    let text = rendered();
    for metric in METRICS
        .iter()
        .filter(|metric| metric.kind == MetricKind::Histogram)
    {
        let name = metric.full_name();
        let bounds: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{name}_bucket{{le=\"")))
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .filter(|bound: &f64| bound.is_finite())
            .collect();
        assert_eq!(bounds, metric.buckets, "{name}");
        assert!(
            text.contains(&format!("{name}_bucket{{le=\"0.01\"}} 0")),
            "{text}"
        );
        assert!(
            text.contains(&format!("{name}_bucket{{le=\"0.025\"}} 1")),
            "{text}"
        );
        assert!(text.contains(&format!("{name}_count 1")), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_measured() {
    let text = rendered();
    let families = parsed(&text);
    let value = |name: &str| {
        let family = families.get(name).unwrap_or_else(|| panic!("{name}"));
        family.samples[0].1
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    assert!(value("process_threads") >= 1.0);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_max_fds") >= value("process_open_fds"));
    assert!(value("process_cpu_seconds_total") >= 0.0);
    // 2020-01-01
    assert!(value("process_start_time_seconds") > 1_577_836_800.0);
}
