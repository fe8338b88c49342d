//! How much memory the Java plug-ins of a connector may have.

use volley_api::{ConfigValue, Validator};

/// A size as Java's `-Xmx` takes it: a number, and `k`, `m` or `g`, in either case.
pub(crate) fn java_heap_size() -> Validator {
    Validator::custom(|value| match value {
        ConfigValue::String(text) if !is_size(text) => {
            Err("it has to be a number above 0 and one of the letters k, m and g, such as 512m".to_owned())
        }
        _ => Ok(()),
    })
}

fn is_size(text: &str) -> bool {
    let number = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']);
    number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_is_a_number_and_a_letter() {
        assert!(["512m", "1G", "65536k"].into_iter().all(is_size));
        assert!(
            ["", "m", "512", "0m", "-1m", "1t", "1m -XX:OnOutOfMemoryError=x", "+1m m"]
                .into_iter()
                .all(|size| !is_size(size))
        );
    }
}
