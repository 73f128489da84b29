//! huntpack runs the detection rules that a team already has, unmodified, wherever the events are.
//!
//! ```text
//!  Sentinel YAML, ARM ─┐                      files ─┐      Arrow, rows ─┐
//!      (rules)         │                     (read)  │     (host)        │
//!                      ▼                             ▼                   ▼
//!  KQL text ──► lex ► parse ► bind ──► plan ──► rewrites ──► exec over morsels ──► Table
//!              (kql)                  (plan)    (plan)        (exec)                 │
//!  SPL text ──► expand ► parse ► lower ┘                                             │
//!              (spl)                                                                 │
//!                                                                                    ▼
//!                             alerts, entities, incidents ◄── trigger, grouping ── rows
//!                                                        (rules)
//! ```
//!
//! Two languages, one plan, one executor: a front end lowers text to a typed relational plan, and
//! everything behind the plan is written once. Every aggregate is a mergeable partial state, so the
//! same rows give the same answer whatever the threads and morsels.
//!
//! # Layers
//!
//! A module uses only the modules above it in this list; modules of one line never see each other
//! (`tests/tidy.rs` holds this):
//!
//! 0. [`diagnostic`] spans, source maps, codes, rendering, the one error type
//! 1. [`types`] kinds, values, columns, tables, datetimes of 100 ns, timespans, dynamic values
//! 2. [`functions`] the function library: signature, manual page, examples and kernel in one item
//! 3. [`expr`] typed expressions and their evaluation over columns
//! 4. [`plan`] relational nodes, rewrites, explain; the traits `Source` and `Catalog`
//! 5. [`exec`] runs plans over morsels; [`kql`] and [`spl`] the front ends; [`read`] files as sources
//! 6. [`engine`] implements `Catalog`; query text in, table out
//! 7. [`rules`] analytic rules, their runs, alerts, entities and incidents
//! 8. [`host`] the Python extension, and the search commands of Splunk
//!
//! Only `host` names pyo3. Only `exec` and `read` name rayon. Only `read`, `engine` and `rules` open
//! files. `plan`, `kql`, `spl` and `rules` name no Arrow type.
pub mod diagnostic;
pub mod engine;
pub mod exec;
pub mod expr;
pub mod functions;
pub mod host;
pub mod kql;
pub mod plan;
pub mod read;
pub mod rules;
pub mod spl;
pub mod types;
