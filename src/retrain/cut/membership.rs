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

/// All rows of a cut, by their ids, as they are kept, with what they begin with: of a million, only
/// what is asked for is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership(Vec<u8>);

const HEAD: &[u8] = b"casework cut rows 1\n";
const BYTES: usize = 8 + 16 + 1;
const NO_CASE: [u8; 16] = [0; 16];

fn member(bytes: &[u8; BYTES]) -> Option<Member> {
    let row = bytes[..8].try_into().ok()?;
    let case = CaseId::from_bytes(&bytes[8..24])?;
    let case = (case.0 != NO_CASE).then_some(case);
    Some(Member { row, case, part: *Part::ALL.get(usize::from(bytes[24]))? })
}

impl FromIterator<Member> for Membership {
    fn from_iter<T: IntoIterator<Item = Member>>(rows: T) -> Self {
        let mut bytes = HEAD.to_vec();
        for member in rows {
            bytes.extend_from_slice(&member.row);
            bytes.extend_from_slice(&member.case.map_or(NO_CASE, |case| case.0));
            let part = Part::ALL.iter().position(|part| *part == member.part);
            bytes.push(part.unwrap_or(0) as u8);
        }
        Self(bytes)
    }
}

impl Membership {
    /// As a payload: its name, then row, case and part of each.
    pub fn to_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads them back; none where they are not that.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let rows = bytes.strip_prefix(HEAD)?;
        let (chunks, rest) = rows.as_chunks::<BYTES>();
        let known = |chunk: &[u8; BYTES]| usize::from(chunk[24]) < Part::ALL.len();
        (rest.is_empty() && chunks.iter().all(known)).then_some(Self(bytes))
    }

    fn chunks(&self) -> &[[u8; BYTES]] {
        self.0.get(HEAD.len()..).unwrap_or_default().as_chunks().0
    }

    pub fn iter(&self) -> impl Iterator<Item = Member> + '_ {
        self.chunks().iter().filter_map(member)
    }

    pub fn of_case(&self, case: CaseId) -> Option<Member> {
        member(self.chunks().iter().find(|chunk| chunk[8..24] == case.0)?)
    }

    pub fn of_row(&self, row: [u8; 8]) -> Option<Member> {
        let at = self.chunks().binary_search_by(|chunk| chunk[..8].cmp(&row)).ok()?;
        member(&self.chunks()[at])
    }

    pub fn cases(&self) -> impl Iterator<Item = CaseId> + '_ {
        self.iter().filter_map(|member| member.case)
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
        let rows: Membership =
            [member(1, Some(7), Part::Test), member(2, None, Part::Train)].into_iter().collect();
        let bytes = rows.to_bytes();
        assert_eq!(Membership::from_bytes(bytes.to_vec()), Some(rows.clone()));
        assert_eq!(Membership::from_bytes(bytes[..bytes.len() - 1].to_vec()), None);
        assert_eq!(Membership::from_bytes(b"{}".to_vec()), None);
        assert_eq!(Membership::default().iter().count(), 0);
        assert_eq!(rows.of_row([2; 8]).map(|member| member.case), Some(None));
        assert_eq!(rows.of_case(CaseId([7; 16])).map(|member| member.part), Some(Part::Test));
    }
}
