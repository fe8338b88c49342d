//! What a template of names is made of: texts, and variables such as `{{start_offset:padding=true}}`.

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplatePart<'a> {
    /// Stands there as it is; not empty.
    Text(&'a str),
    /// Stands for something.
    Variable {
        /// Its name.
        name: &'a str,
        /// What follows `:`.
        parameter: Option<&'a str>,
    },
}

/// The parts of a template.
///
/// # Errors
/// Says which variable is not closed.
pub(crate) fn template_parts(text: &str) -> Result<Vec<TemplatePart<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, behind)) = rest.split_once("{{") {
        let (variable, behind) =
            behind.split_once("}}").ok_or_else(|| format!("`{{{{{behind}` is not closed by `}}}}`"))?;
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        let variable = variable.trim();
        let (name, parameter) = variable.split_once(':').map_or((variable, None), |(name, rest)| (name, Some(rest)));
        parts.push(TemplatePart::Variable { name, parameter });
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(TemplatePart::Text(rest));
    }
    Ok(parts)
}

/// Whether a number is padded with zeros, as the parameter of its variable says.
///
/// # Errors
/// Says that the parameter is none.
pub(crate) fn is_padded(name: &str, parameter: Option<&str>) -> Result<bool, String> {
    match parameter {
        None | Some("padding=false") => Ok(false),
        Some("padding=true") => Ok(true),
        Some(other) => Err(format!("`{other}` of `{{{{{name}:{other}}}}}` is not `padding=true`")),
    }
}
