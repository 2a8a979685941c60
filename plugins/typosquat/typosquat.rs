// SPDX-License-Identifier: Apache-2.0
//! An operator in Rust, from streamd_plugin.h alone: no crates, no generated bindings. `abi` is what
//! of the header this plugin uses, in its layout; the rest is ordinary Rust. Finds domain names that
//! are a slip of the finger away from a brand's.
mod abi;

use abi::*;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

const DOMAIN: usize = 0;
const BRANDS: usize = 1;
const MAX_DISTANCE: usize = 2;
const KEEP: usize = 3;

struct Typosquat {
    host: &'static Host,
    task: *mut c_void,
    brands: Vec<(String, Vec<char>)>,
    max_distance: usize,
    matches_only: bool,
    // Used again for each batch and each name.
    passed: Vec<u32>,
    name: Vec<char>,
    distance: Distance,
}

/// Of www.example.co.uk the word example: a brand's name is looked for in there.
fn chosen_part(name: &str) -> &str {
    let second = ["ac", "co", "com", "edu", "go", "gov", "net", "org"];
    let mut labels = name.trim_end_matches('.').rsplit('.');
    let last = labels.next().unwrap_or("");
    match (labels.next(), labels.next()) {
        (None, _) => last,
        (Some(part), Some(before)) if second.contains(&part) => before,
        (Some(part), _) => part,
    }
}

/// Memory that is used again for each name.
#[derive(Default)]
struct Distance {
    rows: [Vec<usize>; 3],
}

impl Distance {
    /// Insertions, deletions, replacements and swaps of neighbours that make `a` of `b`; None if
    /// more than `most`.
    fn between(&mut self, a: &[char], b: &[char], most: usize) -> Option<usize> {
        if a.len().abs_diff(b.len()) > most {
            return None;
        }
        for row in &mut self.rows {
            row.clear();
            row.extend(0..=b.len());
        }
        for i in 1..=a.len() {
            let (now, last, before) = (i % 3, (i + 2) % 3, (i + 1) % 3);
            self.rows[now][0] = i;
            for j in 1..=b.len() {
                let other = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (self.rows[last][j - 1] + other)
                    .min(self.rows[last][j] + 1)
                    .min(self.rows[now][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(self.rows[before][j - 2] + 1);
                }
                self.rows[now][j] = least;
            }
            if self.rows[now].iter().all(|cell| *cell > most) {
                return None;
            }
        }
        Some(self.rows[a.len() % 3][b.len()]).filter(|found| *found <= most)
    }
}

impl Typosquat {
    /// The nearest brand; a brand's own name is none that imitates it.
    fn nearest(&mut self, domain: &str) -> Option<(usize, usize)> {
        self.name.clear();
        self.name.extend(chosen_part(domain).chars().flat_map(char::to_lowercase));
        let mut best = None;
        for (number, (_, brand)) in self.brands.iter().enumerate() {
            match self.distance.between(&self.name, brand, self.max_distance) {
                Some(0) => return None,
                Some(found) if best.map_or(true, |(_, least)| found < least) => {
                    best = Some((number, found))
                }
                _ => {}
            }
        }
        best
    }

    fn on_batch(&mut self, batch: &Batch) -> Result<(), String> {
        let brands = (self.host.column)(self.task, 0);
        let distances = (self.host.column)(self.task, 1);
        if brands.is_null() || distances.is_null() {
            return Err("the engine gave no columns for the results".into());
        }
        self.passed.clear();
        for record in 0..batch.rows {
            // SAFETY: the engine lends `columns` of `entries` values, and `index` of `rows` numbers.
            let entry = if batch.index.is_null() {
                record
            } else {
                unsafe { *batch.index.add(record) as usize }
            };
            let column = unsafe { *batch.columns.add(DOMAIN) };
            let value = if column.is_null() { None } else { Some(unsafe { &*column.add(entry) }) };
            let found = value.and_then(Value::text).and_then(|name| self.nearest(name));
            if let Some((brand, distance)) = found {
                let text = self.keep(&self.brands[brand].0)?;
                unsafe {
                    *brands.add(entry) = text;
                    *distances.add(entry) = Value::int(distance as i64);
                }
            }
            if found.is_some() || !self.matches_only {
                self.passed.push(record as u32);
            }
        }
        let code = (self.host.pass)(self.task, self.passed.as_ptr(), self.passed.len());
        if code == OK { Ok(()) } else { Err("the engine took no records".into()) }
    }

    /// A copy of a text that lives as long as what is made of this batch.
    fn keep(&self, text: &str) -> Result<Value, String> {
        let place = (self.host.memory)(self.task, text.len()) as *mut u8;
        if place.is_null() {
            return Err("the engine gave no memory".into());
        }
        // SAFETY: `memory` gave that many bytes, which nobody else has.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len()) };
        Ok(Value::string(place, text.len()))
    }
}

/// Runs what may panic or fail: nothing but a code leaves the plugin.
fn guarded(host: &Host, task: *mut c_void, call: impl FnOnce() -> Result<(), String>) -> i32 {
    let message = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => return OK,
        Ok(Err(message)) => message,
        Err(_) => "the plugin panicked: standard error says where".to_string(),
    };
    (host.fail)(task, View::of(&message), View::of("tell the author of typosquat"));
    FAILED
}

extern "C" fn create(
    host: *const Host,
    task: *mut c_void,
    config: *const Value,
    made: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine's table lives as long as the process; config has a value for each field.
    let host: &'static Host = unsafe { &*host };
    guarded(host, task, || {
        let config = unsafe { std::slice::from_raw_parts(config, 4) };
        let brands = config[BRANDS]
            .items()
            .iter()
            .filter_map(Value::text)
            .map(|brand| (brand.to_string(), chosen_part(brand).to_lowercase().chars().collect()))
            .collect();
        let typosquat = Typosquat {
            host,
            task,
            brands,
            max_distance: config[MAX_DISTANCE].integer().unwrap_or(1) as usize,
            matches_only: config[KEEP].text() == Some("matches"),
            passed: Vec::new(),
            name: Vec::new(),
            distance: Distance::default(),
        };
        unsafe { *made = Box::into_raw(Box::new(typosquat)) as *mut c_void };
        Ok(())
    })
}

extern "C" fn on_batch(instance: *mut c_void, batch: *const Batch) -> i32 {
    // SAFETY: `instance` is what create() made; calls on it never overlap.
    let typosquat = unsafe { &mut *(instance as *mut Typosquat) };
    let (host, task) = (typosquat.host, typosquat.task);
    guarded(host, task, || typosquat.on_batch(unsafe { &*batch }))
}

extern "C" fn destroy(instance: *mut c_void) {
    // SAFETY: called once for what create() made.
    drop(unsafe { Box::from_raw(instance as *mut Typosquat) });
}

static DOMAIN_FIELD: Field = Field {
    kind: FIELD_COLUMN,
    flags: FIELD_REQUIRED,
    name: View::of("domain"),
    help: View::of("The domain name to look at."),
    example: View::of("query"),
    ..Field::NONE
};
static BRANDS_FIELD: Field = Field {
    kind: FIELD_STRINGS,
    flags: FIELD_REQUIRED,
    name: View::of("brands"),
    help: View::of("Names or domains that others imitate."),
    example: View::of("[paypal, example.org]"),
    ..Field::NONE
};
static DISTANCE_FIELD: Field = Field {
    kind: FIELD_INT,
    name: View::of("max_distance"),
    help: View::of("How many letters may be other, too many, missing or swapped."),
    fallback: View::of("1"),
    least: 1,
    most: 5,
    ..Field::NONE
};
static KEEP_CHOICES: [View; 2] = [View::of("matches"), View::of("all")];
static KEEP_FIELD: Field = Field {
    kind: FIELD_CHOICE,
    choice_count: 2,
    choices: KEEP_CHOICES.as_ptr(),
    name: View::of("keep"),
    help: View::of("Which records go on."),
    fallback: View::of("matches"),
    ..Field::NONE
};
static FIELDS: [Ref<Field>; 4] =
    [Ref(&DOMAIN_FIELD), Ref(&BRANDS_FIELD), Ref(&DISTANCE_FIELD), Ref(&KEEP_FIELD)];

static SPEC: Spec = Spec {
    field_count: 4,
    kind: View::of("typosquat"),
    summary: View::of("Finds domain names that imitate a brand's: paypa1, exmaple."),
    details: View::of("Adds `brand` and `distance`, the number of slips between the two."),
    example_title: View::of("Slips of the finger"),
    example: View::of("domain: query\nbrands: [paypal, example.org]"),
    fields: FIELDS.as_ptr(),
    ..Spec::NONE
};
static BRAND: Output = Output::new(STRING, "brand");
static DISTANCE: Output = Output::new(INT, "distance");
static OUTPUTS: [Ref<Output>; 2] = [Ref(&BRAND), Ref(&DISTANCE)];

static OPERATOR: Operator = Operator {
    spec: &SPEC,
    outputs: OUTPUTS.as_ptr(),
    output_count: 2,
    create: Some(create),
    on_batch: Some(on_batch),
    destroy: Some(destroy),
    ..Operator::NONE
};
static OPERATORS: [Ref<Operator>; 1] = [Ref(&OPERATOR)];

static PLUGIN: Plugin = Plugin {
    name: View::of("typosquat"),
    version: View::of("1.0.0"),
    summary: View::of("Domain names that imitate a brand's."),
    operators: OPERATORS.as_ptr(),
    operator_count: 1,
    ..Plugin::NONE
};

#[no_mangle]
pub extern "C" fn streamd_plugin() -> *const Plugin {
    &PLUGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str, most: usize) -> Option<usize> {
        let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
        Distance::default().between(&a, &b, most)
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(between("paypal", "paypal", 2), Some(0));
        assert_eq!(between("paypa1", "paypal", 2), Some(1));
        assert_eq!(between("papyal", "paypal", 2), Some(1));
        assert_eq!(between("paypall", "paypal", 2), Some(1));
        assert_eq!(between("pyapla", "paypal", 2), Some(2));
        assert_eq!(between("google", "paypal", 2), None);
        assert_eq!(between("", "ab", 2), Some(2));
        assert_eq!(between("", "abc", 2), None);
    }

    #[test]
    fn the_chosen_part_is_what_its_owner_named() {
        assert_eq!(chosen_part("www.example.co.uk"), "example");
        assert_eq!(chosen_part("example.org."), "example");
        assert_eq!(chosen_part("example"), "example");
        assert_eq!(chosen_part(""), "");
    }
}
