//! The functions of the configuration, put in the place of their calls before a query is checked and planned. So they
//! work for arguments of any type, and cost nothing at run time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, Query, SelectItem, SetExpr, Spanned, Visit, VisitMut, Visitor, VisitorMut, visit_expressions,
};
use volley_api::{ConfigMap, Error, Result};

use super::field_access::name_fields;
use super::function_names::{FunctionKind, kind_of};
use super::position::{Position, Refusal};
use super::select_list::named_by_its_text;
use super::statement_rules::{MAX_DEPTH, check_expression};
use super::user_function::{UserFunction, arguments_of};
use crate::deep_stack::on_deep_stack;

/// Prefix of their keys.
const PREFIX: &str = "function.";

/// Words of SQL that begin an expression of a form of their own, and parse as a call where they do not.
const FORMS: [&str; 12] = [
    "case",
    "cast",
    "convert",
    "exists",
    "extract",
    "interval",
    "overlay",
    "position",
    "safe_cast",
    "substring",
    "trim",
    "try_cast",
];

/// Maximum number of expressions in a query, its functions put in. Each may use another twice, and so double it.
const MAX_EXPRESSIONS: usize = 50_000;

/// Functions by their names in lower case. Their bodies call no other function of the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserFunctions(BTreeMap<String, UserFunction>);

impl UserFunctions {
    /// Those of `function.<name>`.
    ///
    /// # Errors
    /// `Config`, with the key and the place, for what is no function.
    pub(crate) fn of_config(config: &ConfigMap) -> Result<Self> {
        on_deep_stack(|| Self::parse(config))?
    }

    fn parse(config: &ConfigMap) -> Result<Self> {
        let mut written = BTreeMap::new();
        for (key, text) in config {
            let Some(name) = key.strip_prefix(PREFIX).filter(|name| !name.is_empty() && *name != "<name>") else {
                continue;
            };
            let refused = |reason: &str| Error::config(format!("`{key}`: {reason}"));
            check_name(name).map_err(|reason| refused(&reason))?;
            let function = UserFunction::parse(text).map_err(|refusal| Error::config(format!("`{key}`, {refusal}")))?;
            if written.insert(name.to_lowercase(), (key.as_str(), function)).is_some() {
                return Err(refused("there is another function of this name; functions do not differ by case"));
            }
        }
        let mut done = Self::default();
        for name in written.keys() {
            done.complete(name, &written, &mut Vec::new())?;
        }
        Ok(done)
    }

    /// Adds the function `name` with the functions that it calls put in. `callers`: those that wait for it.
    fn complete<'w>(
        &mut self,
        name: &'w str,
        written: &'w BTreeMap<String, (&str, UserFunction)>,
        callers: &mut Vec<&'w str>,
    ) -> Result<()> {
        let Some((key, function)) = written.get(name).filter(|_| !self.0.contains_key(name)) else {
            return Ok(());
        };
        if callers.contains(&name) {
            let circle = [callers.as_slice(), &[name]].concat().join(" → ");
            return Err(Error::config(format!("`{key}` calls itself ({circle}), which has no end")));
        }
        callers.push(name);
        for called in calls_in(&function.body) {
            if let Some((called, _)) = written.get_key_value(&called) {
                self.complete(called, written, callers)?;
            }
        }
        callers.pop();
        let refused = |refusal: Refusal| Error::config(format!("`{key}`, {refusal}"));
        let mut function = function.clone();
        self.put_into(&mut function.body).map_err(refused)?;
        check_expression(&function.body).map_err(refused)?;
        name_fields(&mut function.body);
        self.0.insert(name.to_owned(), function);
        Ok(())
    }

    /// Puts the functions in the places of their calls in `query`. A column that is named after its text keeps its name.
    pub(super) fn put_into_query(&self, query: &mut Query) -> std::result::Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        if let SetExpr::Select(select) = query.body.as_mut() {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) = item
                    && calls_in(expr).iter().any(|name| self.0.contains_key(name))
                    && let Some(named) = named_by_its_text(expr)
                {
                    *item = named;
                }
            }
        }
        self.put_into(query)
    }

    fn put_into(&self, place: &mut impl VisitMut) -> std::result::Result<(), Refusal> {
        match place.visit(&mut Calls { functions: self, expressions: 0 }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(refusal) => Err(refusal),
        }
    }
}

fn check_name(name: &str) -> std::result::Result<(), String> {
    let is_letter = |char: char| char.is_alphabetic() || char == '_';
    if !name.starts_with(is_letter) || !name.chars().all(|char| is_letter(char) || char.is_numeric()) {
        return Err("the name of a function has letters, digits and _ only".to_owned());
    }
    if kind_of(&name.to_lowercase()) != FunctionKind::Unknown {
        return Err(format!("there is a function `{name}` already; choose another name"));
    }
    let is_call = match UserFunction::parse(&format!("-> {name}(1)")) {
        Ok(UserFunction { body: Expr::Function(call), .. }) => called(&call).is_some(),
        _ => false,
    };
    if is_call && !FORMS.contains(&name.to_lowercase().as_str()) {
        Ok(())
    } else {
        Err(format!("`{name}` is a word of SQL; choose another name"))
    }
}

/// The name of a called function, in lower case unless it is quoted.
fn called(call: &Function) -> Option<String> {
    match call.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        }),
        _ => None,
    }
}

fn calls_in(expr: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_expressions(expr, |expr| {
        if let Expr::Function(call) = expr {
            names.extend(called(call));
        }
        ControlFlow::<()>::Continue(())
    });
    names
}

/// Puts functions in the places of their calls, the innermost first.
struct Calls<'f> {
    functions: &'f UserFunctions,
    /// Number of expressions that were put in.
    expressions: usize,
}

impl Calls<'_> {
    fn put_in(&mut self, call: &Function) -> std::result::Result<Option<Expr>, Refusal> {
        let Some((name, function)) = called(call).and_then(|name| self.functions.0.get_key_value(&name)) else {
            return Ok(None);
        };
        let place = call.name.span();
        let refuse = |reason: String| Err(Refusal::new(Position::of(place, Position::START), reason));
        let arguments = match arguments_of(call) {
            Ok(arguments) => arguments,
            Err(reason) => return refuse(format!("`{name}` {reason}: {}", function.form(name))),
        };
        let (given, wanted) = (arguments.len(), function.parameters.len());
        if given != wanted {
            return refuse(format!("`{name}` takes {wanted} argument(s), not {given}: {}", function.form(name)));
        }
        let body = Extent::of(&function.body);
        let extents: Vec<Extent> = arguments.iter().map(Extent::of).collect();
        let of_arguments = extents.iter().zip(function.uses()).map(|(extent, uses)| extent.expressions * uses);
        self.expressions += body.expressions + of_arguments.sum::<usize>();
        let deepest = extents.iter().map(|extent| extent.depth).max().unwrap_or(0);
        if self.expressions > MAX_EXPRESSIONS || body.depth + deepest > MAX_DEPTH {
            return refuse(format!("with `{name}` put in, the query is too long or nests too deep"));
        }
        Ok(Some(function.applied_to(&arguments, place)))
    }
}

impl VisitorMut for Calls<'_> {
    type Break = Refusal;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Refusal> {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        match self.put_in(call) {
            Ok(None) => {}
            Ok(Some(put_in)) => *expr = put_in,
            Err(refusal) => return ControlFlow::Break(refusal),
        }
        ControlFlow::Continue(())
    }
}

/// The number of expressions in one, and how deep they nest.
#[derive(Debug, Default)]
struct Extent {
    expressions: usize,
    depth: usize,
    now: usize,
}

impl Extent {
    fn of(expr: &Expr) -> Self {
        let mut extent = Self::default();
        let _ = expr.visit(&mut extent);
        extent
    }
}

impl Visitor for Extent {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.expressions += 1;
        self.now += 1;
        self.depth = self.depth.max(self.now);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.now -= 1;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::RowwiseQuery;

    fn functions(entries: &[(&str, &str)]) -> Result<UserFunctions> {
        let config =
            entries.iter().map(|(name, text)| (format!("function.{name}"), (*text).to_owned())).collect::<ConfigMap>();
        UserFunctions::of_config(&config)
    }

    fn put_in(entries: &[(&str, &str)], query: &str) -> String {
        match RowwiseQuery::parse_with(query, &functions(entries).unwrap()) {
            Ok(query) => query.query.to_string(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn calls_become_what_the_function_says() {
        for (text, call, expected) in [
            ("(a) -> a * 100", "f(x + 1) AS c", "((x + 1) * 100) AS c"),
            ("a, b -> a + b", "F(x, 'y') AS c", "(x + 'y') AS c"),
            ("() -> first || ' ' || last", "f() AS c", "(first || ' ' || last) AS c"),
            ("(a) -> a.city", "f(address) AS c", "(address.city) AS c"),
            ("(a) -> a.city", "f(r.address) AS c", "(r.address.city) AS c"),
            ("(a) -> a.city", "f(items[1]) AS c", "((items[1]).'city') AS c"),
            ("(a) -> a.b[1].a", "f(x) AS c", "(x.b[1].'a') AS c"),
            ("(a, b) -> a - b", "f(b, a) AS c", "(b - a) AS c"),
            ("(a) -> CASE WHEN a > 0 THEN a END", "f(x) AS c", "(CASE WHEN x > 0 THEN x END) AS c"),
            ("(a) -> payload ->> a", "f('x') AS c", "(payload ->> 'x') AS c"),
            ("(a) -> a * 100", "f(x)", "(x * 100) AS \"f(x)\""),
            ("(a) -> a * 100", "f(f(x)) AS c", "(((x * 100)) * 100) AS c"),
        ] {
            let query = format!("SELECT {call} FROM records r");
            assert_eq!(put_in(&[("f", text)], &query), format!("SELECT {expected} FROM records r"), "{text}");
        }
        let of_others = [("full", "(a, b) -> trim2(a) || ' ' || trim2(b)"), ("trim2", "(a) -> trim(a)")];
        assert_eq!(
            put_in(&of_others, "SELECT full(x, y) AS n FROM records"),
            "SELECT ((TRIM(x)) || ' ' || (TRIM(y))) AS n FROM records"
        );
    }

    #[test]
    fn what_is_no_function_is_refused_with_its_key_and_place() {
        for (name, text, expected) in [
            ("f", "a * 100", "`function.f`, line 1, column 1: a function has an arrow"),
            ("f", "(a) -> a *", "`function.f`, line 1, column 11: expected: an expression"),
            ("f", "(a) -> a b", "`function.f`, line 1, column 10: expected: end of the expression, found: b"),
            ("f", "(a, a) -> a", "`function.f`, line 1, column 5: there are two parameters `a`"),
            ("f", "(a b) -> a", "`function.f`, line 1, column 4: expected: the name of a parameter, found: b"),
            ("f", "(a,) -> a", "`function.f`, line 1, column 3: expected: the name of a parameter, found: ,"),
            ("f", "(a) -> sum(a)", "`function.f`, line 1, column 8: the aggregate function `sum`"),
            ("f", "(a) -> uppper(a)", "`function.f`, line 1, column 8: unknown function `uppper`"),
            ("f", "(a) -> (SELECT 1)", "`function.f`, line 1, column 9: a subquery"),
            ("upper", "(a) -> a", "`function.upper`: there is a function `upper` already"),
            ("Count", "(a) -> a", "`function.Count`: there is a function `Count` already"),
            ("json_get", "(a) -> a", "`function.json_get`: there is a function `json_get` already"),
            ("not", "(a) -> a", "`function.not`: `not` is a word of SQL"),
            ("cast", "(a) -> a", "`function.cast`: `cast` is a word of SQL"),
            ("a.b", "(a) -> a", "`function.a.b`: the name of a function has letters"),
            ("1a", "(a) -> a", "`function.1a`: the name of a function has letters"),
            ("f", "(a) -> f(a - 1)", "`function.f` calls itself (f → f)"),
        ] {
            let error = functions(&[(name, text)]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{name}={text}: {error}");
        }
        let error = functions(&[("a", "x -> b(x)"), ("b", "x -> c(x)"), ("c", "x -> a(x)")]).unwrap_err();
        assert_eq!(error.to_string(), "`function.a` calls itself (a → b → c → a), which has no end");
        let error = functions(&[("a", "x -> b(x, 1)"), ("b", "x -> x")]).unwrap_err().to_string();
        assert!(error.starts_with("`function.a`, line 1, column 6: `b` takes 1 argument(s), not 2: b(x)"), "{error}");
        assert!(functions(&[("a", "x -> x"), ("A", "x -> x")]).unwrap_err().to_string().contains("differ by case"));
    }

    #[test]
    fn a_call_that_does_not_fit_is_refused_where_it_stands() {
        let one = [("cents", "(amount) -> amount * 100")];
        for (query, expected) in [
            (
                "SELECT cents(a, b) AS c FROM records",
                "line 1, column 8: `cents` takes 1 argument(s), not 2: cents(amount)",
            ),
            ("SELECT a,\n cents() AS c FROM records", "line 2, column 2: `cents` takes 1 argument(s), not 0"),
            ("SELECT cents(a) OVER () AS c FROM records", "line 1, column 8: `cents` takes its arguments, and nothing"),
            ("SELECT cents(*) AS c FROM records", "line 1, column 8: `cents` takes expressions"),
        ] {
            let refusal = put_in(&one, query);
            assert!(refusal.starts_with(expected), "{query}: {refusal}");
        }
    }

    #[test]
    fn functions_that_double_one_another_are_refused_before_they_fill_the_memory() {
        let texts: Vec<(String, String)> = (1..40)
            .map(|level| (format!("f{level:02}"), format!("x -> f{:02}(x) + f{:02}(x)", level - 1, level - 1)))
            .chain([("f00".to_owned(), "x -> x + x".to_owned())])
            .collect();
        let entries: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let error = functions(&entries).unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
        let deep: Vec<(String, String)> = (1..40)
            .map(|level| {
                (format!("f{level:02}"), format!("x -> {}f{:02}(x){}", "-(".repeat(20), level - 1, ")".repeat(20)))
            })
            .chain([("f00".to_owned(), "x -> x".to_owned())])
            .collect();
        let entries: Vec<(&str, &str)> = deep.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let error = functions(&entries).unwrap_err().to_string();
        assert!(error.contains("nests deeper than 400 levels"), "{error}");
    }
}
