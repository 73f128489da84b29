//! Files of JSON records whose keys are the columns.
use super::{Keys, Layout, discover, each_record};
use crate::read::block::Block;
use crate::read::rows::{Parser, Rows, Wanted};
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
        discover(sample, self.lines, None).into_iter().map(Name::from).collect()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut keys = Keys::default();
        wanted.names.iter().enumerate().for_each(|(slot, name)| keys.want(&[name], slot, 0));
        Box::new(PlainParser { keys, lines: self.lines })
    }
}

struct PlainParser {
    keys: Keys,
    lines: bool,
}

impl Parser for PlainParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let layout = Layout { lines: self.lines, early: rows.window_slot() };
        let take =
            |rows: &mut Rows, at: usize, scratch: &mut super::Scratch| rows.push(block.bytes(), at, &scratch.cells);
        each_record(&mut self.keys.clone(), block, layout, rows.width(), rows, take);
    }
}
