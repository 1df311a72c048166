//! What is printed as it is found out, and kept as JSON for a later comparison.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

/// All that one run found out.
#[derive(Debug, Default)]
pub struct Book {
    parts: Map<String, Value>,
    goals: Vec<Goal>,
}

/// Something that was to be reached.
#[derive(Debug)]
struct Goal {
    what: String,
    found: String,
    wanted: String,
    reached: bool,
}

impl Book {
    /// A table begins: its title, and the name and width of each column.
    pub fn table(&mut self, part: &str, title: &str, columns: &[(&str, usize)]) {
        say(&format!("\n{title}\n"));
        let heads: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        line(columns, &heads);
        self.parts.entry(part.to_owned()).or_insert_with(|| json!([]));
    }

    /// One row of it, as printed and as kept.
    pub fn row(&mut self, part: &str, columns: &[(&str, usize)], cells: &[String], value: Value) {
        line(columns, cells);
        if let Some(rows) = self.parts.get_mut(part).and_then(Value::as_array_mut) {
            rows.push(value);
        }
    }

    /// A note under a table.
    pub fn note(&mut self, text: &str) {
        say(&format!("  {text}\n"));
    }

    /// Something that was to be reached, with what was found.
    pub fn goal(&mut self, what: &str, found: &str, wanted: &str, reached: bool) {
        let goal =
            Goal { what: what.to_owned(), found: found.to_owned(), wanted: wanted.to_owned(), reached };
        self.goals.push(goal);
    }

    /// Prints the goals, and writes everything into a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn close(self, head: Value, path: &Path) -> Result<()> {
        say("\nGoals\n");
        for Goal { what, found, wanted, reached } in &self.goals {
            let mark = if *reached { "reached " } else { "MISSED  " };
            say(&format!("  {mark} {what}: {found} (wanted: {wanted})\n"));
        }
        let goals = self.goals.iter().map(|goal| {
            json!({"what": goal.what, "found": goal.found, "wanted": goal.wanted, "reached": goal.reached})
        });
        let all = json!({"run": head, "parts": self.parts, "goals": goals.collect::<Vec<_>>()});
        fs::write(path, format!("{all:#}\n"))?;
        say(&format!("\nwritten to {}\n", path.display()));
        Ok(())
    }
}

fn line(columns: &[(&str, usize)], cells: &[String]) {
    let mut text = String::new();
    for (place, ((_, width), cell)) in columns.iter().zip(cells).enumerate() {
        // The first column is text, the others are numbers.
        let cell = if place == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
        text += &format!("  {cell}");
    }
    say(&format!("{}\n", text.trim_end()));
}

/// To standard output, at once: the reader wants to see that something goes on.
pub fn say(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// `12.345` for 12.345 ms.
#[must_use]
pub fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 100.0 { format!("{ms:.2}") } else { format!("{ms:.0}") }
}

/// `34.5` for 34.5 microseconds.
#[must_use]
pub fn microseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

/// A time, divided among so many; zero among none.
#[must_use]
pub fn each(time: Duration, count: u64) -> Duration {
    time.checked_div(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or_default()
}

/// How many times the second the first is.
#[must_use]
pub fn ratio(one: Duration, other: Duration) -> f64 {
    if other.is_zero() { 0.0 } else { one.as_secs_f64() / other.as_secs_f64() }
}
