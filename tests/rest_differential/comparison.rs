//! Where two answers are not as they should be.

use std::fmt::Write;

use serde_json::Value;

use super::normal_form::NormalForm;
use super::script::{Part, Step};

/// Differences shown of one body.
const SHOWN: usize = 40;
/// Bodies up to this length are shown whole.
const SHORT: usize = 600;

/// What is wrong with a pair of answers, for whoever has to mend it.
pub(super) fn difference(step: &Step, java: &NormalForm, volley: &NormalForm) -> Option<String> {
    if step.until.is_some() {
        return None;
    }
    let parts = [
        (Part::Status, java.status == volley.status, shown(&java.status, &volley.status)),
        (Part::Headers, java.headers == volley.headers, shown(&java.headers, &volley.headers)),
        (Part::Body, java.body == volley.body, body_difference(&java.body, &volley.body)),
    ];
    let mut text = String::new();
    for (part, equal, shown) in parts {
        let wanted = !step.differing.contains(&part);
        if equal != wanted && !step.skipped.contains(&part) {
            let what = if wanted { "differs" } else { "should differ, says the list, and does not" };
            writeln!(text, "  {part:?} {what}\n{shown}").expect("a string takes all");
        }
    }
    let Step { place, method, target, title, .. } = step;
    (!text.is_empty()).then(|| format!("{place} {method} {target} #{title}\n{text}"))
}

fn shown<T: std::fmt::Debug>(java: &T, volley: &T) -> String {
    format!("    Java   {java:?}\n    Volley {volley:?}")
}

fn body_difference(java: &Value, volley: &Value) -> String {
    let (whole_java, whole_volley) = (java.to_string(), volley.to_string());
    if whole_java.len().max(whole_volley.len()) < SHORT {
        return format!("    Java   {whole_java}\n    Volley {whole_volley}");
    }
    let mut lines = Vec::new();
    compare("", java, volley, &mut lines);
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("    … and {more} more"));
    }
    lines.join("\n")
}

fn compare(path: &str, java: &Value, volley: &Value, lines: &mut Vec<String>) {
    match (java, volley) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
                compare_members(&format!("{path}/{key}"), left.get(key), right.get(key), lines);
            }
        }
        (Value::Array(left), Value::Array(right)) => compare_arrays(path, left, right, lines),
        _ if java == volley => {}
        _ => lines.push(format!("    {path}: Java {java}, Volley {volley}")),
    }
}

fn compare_members(path: &str, java: Option<&Value>, volley: Option<&Value>, lines: &mut Vec<String>) {
    match (java, volley) {
        (Some(java), Some(volley)) => compare(path, java, volley, lines),
        (Some(java), None) => lines.push(format!("    {path}: only Java has {java}")),
        (None, Some(volley)) => lines.push(format!("    {path}: only Volley has {volley}")),
        (None, None) => {}
    }
}

/// Elements with a name are compared with those of the same name; then their order.
fn compare_arrays(path: &str, java: &[Value], volley: &[Value], lines: &mut Vec<String>) {
    let names = |values: &[Value]| values.iter().map(name).collect::<Option<Vec<String>>>();
    let (Some(left), Some(right)) = (names(java), names(volley)) else {
        for index in 0..java.len().max(volley.len()) {
            compare_members(&format!("{path}/{index}"), java.get(index), volley.get(index), lines);
        }
        return;
    };
    let of = |names: &[String], values: &[Value], name: &String| {
        names.iter().position(|other| other == name).map(|at| values[at].clone())
    };
    for name in left.iter().chain(right.iter().filter(|name| !left.contains(name))) {
        let (java, volley) = (of(&left, java, name), of(&right, volley, name));
        compare_members(&format!("{path}/{name}"), java.as_ref(), volley.as_ref(), lines);
    }
    let (mut left_common, mut right_common) = (left.clone(), right.clone());
    left_common.retain(|name| right.contains(name));
    right_common.retain(|name| left.contains(name));
    if left_common != right_common {
        lines.push(format!(
            "    {path}: in another order:\n      Java   {left_common:?}\n      Volley {right_common:?}"
        ));
    }
}

fn name(value: &Value) -> Option<String> {
    let pointers = ["/definition/name", "/value/name", "/name", "/class"];
    pointers.iter().find_map(|pointer| value.pointer(pointer)?.as_str()).map(str::to_owned)
}
