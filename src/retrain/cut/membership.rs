//! What the journal keeps of a cut: which rows it has, of which cases, in which part. No text.

use super::split::Part;
use crate::domain::ids::CaseId;

/// One row of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pub row: [u8; 8],
    /// None for an old row that was mixed in.
    pub case: Option<CaseId>,
    pub part: Part,
}

/// All rows of a cut, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership(pub Vec<Member>);

const HEAD: &[u8] = b"casework cut rows 1\n";
const BYTES: usize = 8 + 16 + 1;

impl Membership {
    /// As a payload: its name, then row, case and part of each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD.len() + self.0.len() * BYTES);
        bytes.extend_from_slice(HEAD);
        for member in &self.0 {
            bytes.extend_from_slice(&member.row);
            bytes.extend_from_slice(&member.case.map_or([0; 16], |case| case.0));
            let part = Part::ALL.iter().position(|part| *part == member.part);
            bytes.push(part.unwrap_or(0) as u8);
        }
        bytes
    }

    /// Reads them back; none where they are not that.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rows = bytes.strip_prefix(HEAD)?;
        let (rows, rest) = rows.as_chunks::<BYTES>();
        if !rest.is_empty() {
            return None;
        }
        let one = |bytes: &[u8; BYTES]| {
            let row = bytes[..8].try_into().ok()?;
            let case = CaseId::from_bytes(&bytes[8..24])?;
            let case = (case.0 != [0; 16]).then_some(case);
            Some(Member { row, case, part: *Part::ALL.get(usize::from(bytes[24]))? })
        };
        rows.iter().map(one).collect::<Option<Vec<_>>>().map(Self)
    }

    pub fn of_case(&self, case: CaseId) -> Option<&Member> {
        self.0.iter().find(|member| member.case == Some(case))
    }

    pub fn of_row(&self, row: [u8; 8]) -> Option<&Member> {
        let at = self.0.binary_search_by(|member| member.row.cmp(&row)).ok()?;
        self.0.get(at)
    }

    pub fn cases(&self) -> impl Iterator<Item = CaseId> + '_ {
        self.0.iter().filter_map(|member| member.case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_nothing_else_is() {
        let member = |n: u8, case: Option<u8>, part| Member {
            row: [n; 8],
            case: case.map(|n| CaseId([n; 16])),
            part,
        };
        let rows = Membership(vec![member(1, Some(7), Part::Test), member(2, None, Part::Train)]);
        let bytes = rows.to_bytes();
        assert_eq!(Membership::from_bytes(&bytes), Some(rows.clone()));
        assert_eq!(Membership::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Membership::from_bytes(b"{}"), None);
        assert_eq!(rows.of_row([2; 8]).map(|member| member.case), Some(None));
        assert_eq!(rows.of_case(CaseId([7; 16])).map(|member| member.part), Some(Part::Test));
    }
}
