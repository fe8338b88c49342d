//! Fields that need no description by the user: `schema=orders` and its like.
//!
//! A preset is written in the same keys that a user writes, and stands below his: `fields.amount.max=10` changes that
//! field of the preset, `fields=order_id,amount` keeps these two only.

use std::collections::BTreeMap;

/// Names of the presets.
pub(super) const NAMES: &[&str] = &["orders", "pageviews", "sensors", "wide-50"];

/// The preset that is used where the user gives neither `schema` nor `fields`.
pub(super) const DEFAULT: &str = "orders";

/// A field: its name, and `parameter=value` pairs.
type FieldLines = (&'static str, &'static [(&'static str, &'static str)]);

const ORDERS: &[FieldLines] = &[
    ("order_id", &[("generator", "sequence"), ("start", "1")]),
    ("customer_id", &[("generator", "zipf"), ("cardinality", "50000"), ("exponent", "0.8")]),
    (
        "product",
        &[
            ("generator", "zipf"),
            (
                "values",
                "coffee,tea,bread,butter,apples,cheese,honey,rice,olives,pasta,walnuts,salt,pepper,plums,lentils,mustard",
            ),
            ("exponent", "0.7"),
        ],
    ),
    ("quantity", &[("type", "int32"), ("min", "1"), ("max", "12")]),
    ("amount", &[("type", "float64"), ("min", "0.5"), ("max", "499.99"), ("scale", "2")]),
    ("status", &[("generator", "choice"), ("values", "paid,shipped,open,cancelled"), ("weights", "55,30,10,5")]),
    ("created_at", &[("type", "timestamp"), ("step", "250"), ("jitter", "200")]),
];

const PAGEVIEWS: &[FieldLines] = &[
    ("view_id", &[("generator", "sequence"), ("start", "1")]),
    (
        "user_id",
        &[
            ("type", "string"),
            ("generator", "zipf"),
            ("cardinality", "100000"),
            ("exponent", "0.9"),
            ("prefix", "user-"),
        ],
    ),
    (
        "page",
        &[
            ("type", "string"),
            ("generator", "zipf"),
            ("cardinality", "2000"),
            ("exponent", "1.1"),
            ("prefix", "/page/"),
        ],
    ),
    ("session", &[("generator", "pattern"), ("pattern", "%%%%%%%%-%%%%-%%%%")]),
    ("country", &[("generator", "zipf"), ("values", "DE,US,IN,BR,JP,GB,FR,NG,PL,KE,SE,NZ"), ("exponent", "0.6")]),
    ("referrer", &[("generator", "choice"), ("values", "search,newsletter,partner,social"), ("null.rate", "0.4")]),
    ("duration_ms", &[("type", "int32"), ("generator", "zipf"), ("cardinality", "60000"), ("exponent", "0.5")]),
    ("viewed_at", &[("type", "timestamp"), ("step", "20"), ("jitter", "19")]),
];

const SENSORS: &[FieldLines] = &[
    ("sensor_id", &[("type", "string"), ("min", "1"), ("max", "5000"), ("prefix", "sensor-")]),
    ("measured_at", &[("type", "timestamp"), ("step", "100"), ("jitter", "99")]),
    ("temperature", &[("type", "float64"), ("min", "-20"), ("max", "45"), ("scale", "2"), ("null.rate", "0.01")]),
    ("humidity", &[("type", "float32"), ("min", "0"), ("max", "100"), ("scale", "1"), ("null.rate", "0.01")]),
    ("pressure", &[("type", "float64"), ("min", "950"), ("max", "1060"), ("scale", "1")]),
    ("battery", &[("type", "int8"), ("min", "0"), ("max", "100")]),
    ("charging", &[("type", "boolean")]),
];

/// How often each kind of field stands in `wide-50`, and what it is. The number of the field is put behind the name.
const WIDE: &[(usize, FieldLines)] = &[
    (1, ("id", &[("generator", "sequence")])),
    (10, ("count", &[("type", "int32"), ("max", "100000")])),
    (8, ("total", &[("type", "int64"), ("max", "1000000000000")])),
    (8, ("price", &[("type", "float64"), ("max", "10000"), ("scale", "2")])),
    (4, ("ratio", &[("type", "float32"), ("max", "1"), ("scale", "4")])),
    (6, ("category", &[("type", "string"), ("generator", "zipf"), ("cardinality", "200"), ("prefix", "category-")])),
    (5, ("code", &[("generator", "pattern"), ("pattern", "^^-####-??")])),
    (3, ("note", &[("generator", "pattern"), ("pattern", "?????? ???? ????????"), ("null.rate", "0.5")])),
    (3, ("flag", &[("type", "boolean"), ("null.rate", "0.1")])),
    (2, ("at", &[("type", "timestamp"), ("step", "1000"), ("jitter", "999")])),
];

/// The fields of a preset and their settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Preset {
    /// Field names in order.
    pub(super) fields: Vec<String>,
    /// Settings by field and parameter.
    pub(super) settings: BTreeMap<(String, String), String>,
}

impl Preset {
    /// The preset `name`, one of [`NAMES`]; no fields for another name.
    pub(super) fn named(name: &str) -> Self {
        let mut preset = Self::default();
        match name {
            "orders" => ORDERS.iter().for_each(|field| preset.add(field.0.to_owned(), field.1)),
            "pageviews" => PAGEVIEWS.iter().for_each(|field| preset.add(field.0.to_owned(), field.1)),
            "sensors" => SENSORS.iter().for_each(|field| preset.add(field.0.to_owned(), field.1)),
            "wide-50" => preset.add_wide(),
            _ => {}
        }
        preset
    }

    fn add(&mut self, name: String, lines: &[(&str, &str)]) {
        for (parameter, value) in lines {
            self.settings.insert((name.clone(), (*parameter).to_owned()), (*value).to_owned());
        }
        self.fields.push(name);
    }

    fn add_wide(&mut self) {
        for (times, (name, lines)) in WIDE {
            for number in 1..=*times {
                let name = if *times == 1 { (*name).to_owned() } else { format!("{name}_{number}") };
                self.add(name, lines);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_preset_has_the_fields_it_promises() {
        assert_eq!(Preset::named("wide-50").fields.len(), 50);
    }

    #[test]
    fn every_name_is_a_preset() {
        assert!(NAMES.iter().all(|name| !Preset::named(name).fields.is_empty()));
        assert!(NAMES.contains(&DEFAULT));
    }
}
