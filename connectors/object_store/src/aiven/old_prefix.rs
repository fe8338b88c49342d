//! Prefixes of files as the S3 sink had them before there were templates of names: with dates that are variables of
//! their own.

/// The prefix with today's variables. `zone`: the time zone of its times.
///
/// # Errors
/// Says what cannot be had.
pub(super) fn with_dates(prefix: &str, zone: &str) -> Result<String, String> {
    let date = "{{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}-{{timestamp:unit=dd}}";
    let mut translated = String::new();
    let mut rest = prefix;
    while let Some((text, behind)) = rest.split_once("{{") {
        let (variable, behind) =
            behind.split_once("}}").ok_or_else(|| format!("`{{{{{behind}` is not closed by `}}}}`"))?;
        translated.push_str(text);
        match variable.trim() {
            "utc_date" if !matches!(zone, "Z" | "UTC") => {
                return Err(format!(
                    "`{{{{utc_date}}}}` cannot be had where the time zone is {zone}: use `{{{{timestamp:unit=…}}}}`"
                ));
            }
            "utc_date" | "local_date" => translated.push_str(date),
            other => translated.extend(["{{", other, "}}"]),
        }
        rest = behind;
    }
    translated.push_str(rest);
    Ok(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_time_zone() {
        let date = "{{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}-{{timestamp:unit=dd}}";
        assert_eq!(with_dates("a/{{utc_date}}/{{ topic }}-", "Z").unwrap(), format!("a/{date}/{{{{topic}}}}-"));
        assert_eq!(with_dates("{{ local_date }}", "Europe/Berlin").unwrap(), date);
        assert_eq!(with_dates("plain/", "Z").unwrap(), "plain/");
        assert!(with_dates("{{utc_date}}", "Europe/Berlin").unwrap_err().contains("Europe/Berlin"));
        assert!(with_dates("{{x", "Z").unwrap_err().contains("not closed"));
    }
}
