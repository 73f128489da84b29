//! Files of JSON records.
use super::{Keys, Records, discover};
use crate::read::block::Block;
use crate::read::rows::{Parser, Wanted};
use crate::read::text::{Cutter, Form, Lines};
use crate::types::Name;

/// Records whose keys are the columns.
#[derive(Debug)]
pub struct Plain {
    /// Whether every line is a record.
    pub lines: bool,
}

impl Form for Plain {
    fn lines(&self) -> bool {
        self.lines
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        if self.lines { Box::new(Lines) } else { Box::new(super::Objects) }
    }

    fn names(&self, sample: &Block) -> Vec<Name> {
        discover(sample, self.lines).into_iter().map(Name::from).collect()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut keys = Keys::default();
        wanted.names.iter().enumerate().for_each(|(slot, name)| keys.want(&[name], slot, 0));
        Box::new(Records::new(keys, self.lines))
    }
}
