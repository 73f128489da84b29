//! Files of JSON records whose keys are the columns.
use super::{Keys, Layout, Place, discover, each_record};
use crate::read::block::Block;
use crate::read::rows::{Parser, Rows, Wanted};
use crate::read::text::{Cutter, Ends, Form};
use crate::types::Name;

/// Records whose keys are the columns.
#[derive(Debug)]
pub struct Plain {
    pub place: Place,
}

impl Form for Plain {
    fn ends(&self) -> Ends {
        if self.place.lines { Ends::Lines } else { Ends::Text }
    }

    fn cutter(&self) -> Box<dyn Cutter> {
        self.place.cutter()
    }

    fn names(&self, sample: &Block) -> Vec<Name> {
        discover(sample, self.place, None).into_iter().map(Name::from).collect()
    }

    fn parser(&self, wanted: &Wanted) -> Box<dyn Parser> {
        let mut keys = Keys::default();
        wanted.names.iter().enumerate().for_each(|(slot, name)| keys.want(&[name], slot, 0));
        Box::new(PlainParser { keys, place: self.place })
    }
}

struct PlainParser {
    keys: Keys,
    place: Place,
}

impl Parser for PlainParser {
    fn parse(&self, block: &Block, rows: &mut Rows) {
        let layout = Layout { lines: self.place.lines, early: rows.window_slot(), judges: true };
        let take = |rows: &mut Rows, at: usize, scratch: &mut super::Scratch| match scratch.is_judged {
            true => rows.push_judged(at, &scratch.cells),
            false => rows.push(block.bytes(), at, &mut scratch.cells),
        };
        each_record(&mut self.keys.clone(), block, self.place, layout, rows.width(), rows, take);
    }
}
