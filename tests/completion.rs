//! Completion holds at any place of any query, whole or broken.
mod pages;

use huntpack::engine::complete;

/// Every place of a text would take minutes; those left out of one query are looked at in another.
const STRIDE: usize = 13;

#[test]
fn every_place_of_every_query_can_be_completed() {
    for (number, (page, case)) in pages::cases().into_iter().enumerate() {
        let database = pages::database(&case).expect("the tables of a case are whole");
        for at in (number % STRIDE..=case.query.len()).step_by(STRIDE) {
            let found = complete(&case.query, at, &database);
            let found = found.unwrap_or_else(|fault| panic!("{page}, {}, at {at}: {fault}", case.title));
            for completion in found {
                let (start, end) = (completion.replaces.start as usize, completion.replaces.end as usize);
                assert!(start <= end && end <= case.query.len(), "{page}, {}, at {at}", case.title);
            }
        }
    }
}
