//! What the journal keeps of a cut: which rows it has, of which cases, in which part, and a hash of
//! what each says. No text.

use super::split::Part;
use crate::domain::ids::CaseId;

/// One row of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pub row: [u8; 8],
    /// None for an old row that was mixed in.
    pub case: Option<CaseId>,
    pub part: Part,
    /// The beginning of the hash of its line; none where the cut was made before that was kept.
    pub content: Option<[u8; 8]>,
}

/// All rows of a cut, by their ids, as they are kept, with what they begin with: of a million, only
/// what is asked for is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership(Vec<u8>);

/// How it begins, and the bytes of a row; the older form keeps no hash of what rows say.
const FORMS: [(&[u8], usize); 2] =
    [(b"casework cut rows 2\n", 8 + 16 + 1 + 8), (b"casework cut rows 1\n", 8 + 16 + 1)];
const NO_CASE: [u8; 16] = [0; 16];

fn member(bytes: &[u8]) -> Option<Member> {
    let case = CaseId::from_bytes(bytes.get(8..24)?)?;
    Some(Member {
        row: bytes[..8].try_into().ok()?,
        case: (case.0 != NO_CASE).then_some(case),
        part: *Part::ALL.get(usize::from(*bytes.get(24)?))?,
        content: bytes[25..].try_into().ok(),
    })
}

impl FromIterator<Member> for Membership {
    fn from_iter<T: IntoIterator<Item = Member>>(rows: T) -> Self {
        let mut bytes = FORMS[0].0.to_vec();
        for member in rows {
            bytes.extend_from_slice(&member.row);
            bytes.extend_from_slice(&member.case.map_or(NO_CASE, |case| case.0));
            let part = Part::ALL.iter().position(|part| *part == member.part);
            bytes.push(part.unwrap_or(0) as u8);
            bytes.extend_from_slice(&member.content.unwrap_or_default());
        }
        Self(bytes)
    }
}

impl Membership {
    /// As a payload: its name, then row, case, part and hash of each.
    pub fn to_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads them back; none where they are not that.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let read = Self(bytes);
        let (rows, size) = read.rows()?;
        let known = |row: &[u8]| usize::from(row[24]) < Part::ALL.len();
        let is_whole = rows.len().is_multiple_of(size) && rows.chunks_exact(size).all(known);
        is_whole.then_some(read)
    }

    /// The rows, and how many bytes each has.
    fn rows(&self) -> Option<(&[u8], usize)> {
        FORMS.iter().find_map(|(head, size)| Some((self.0.strip_prefix(*head)?, *size)))
    }

    fn chunks(&self) -> std::slice::ChunksExact<'_, u8> {
        let (rows, size) = self.rows().unwrap_or((&[], 1));
        rows.chunks_exact(size)
    }

    pub fn iter(&self) -> impl Iterator<Item = Member> + '_ {
        self.chunks().filter_map(member)
    }

    pub fn of_case(&self, case: CaseId) -> Option<Member> {
        member(self.chunks().find(|row| row[8..24] == case.0)?)
    }

    pub fn of_row(&self, row: [u8; 8]) -> Option<Member> {
        let (rows, size) = self.rows()?;
        let (mut low, mut high) = (0, rows.len() / size);
        while low < high {
            let middle = low.midpoint(high);
            if rows[middle * size..middle * size + 8] < row[..] {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        member(rows.get(low * size..(low + 1) * size)?).filter(|member| member.row == row)
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
            content: Some([n + 1; 8]),
        };
        let rows: Membership =
            [member(1, Some(7), Part::Test), member(2, None, Part::Train)].into_iter().collect();
        let bytes = rows.to_bytes();
        assert_eq!(Membership::from_bytes(bytes.to_vec()), Some(rows.clone()));
        assert_eq!(Membership::from_bytes(bytes[..bytes.len() - 1].to_vec()), None);
        assert_eq!(Membership::from_bytes(b"{}".to_vec()), None);
        assert_eq!(Membership::default().iter().count(), 0);
        assert_eq!(rows.of_row([2; 8]), Some(member(2, None, Part::Train)));
        assert_eq!(rows.of_row([3; 8]), None);
        assert_eq!(rows.of_case(CaseId([7; 16])), Some(member(1, Some(7), Part::Test)));
    }

    #[test]
    fn what_was_kept_without_hashes_is_read_as_it_was() {
        let mut bytes = b"casework cut rows 1\n".to_vec();
        for n in [3, 5, 9] {
            bytes.extend([n; 8]);
            bytes.extend([n; 16]);
            bytes.push(1);
        }
        let rows = Membership::from_bytes(bytes.clone()).unwrap();
        let of = |n: u8| Member {
            row: [n; 8],
            case: Some(CaseId([n; 16])),
            part: Part::ALL[1],
            content: None,
        };
        assert_eq!(rows.iter().collect::<Vec<_>>(), [of(3), of(5), of(9)]);
        assert_eq!((rows.of_row([5; 8]), rows.of_row([4; 8])), (Some(of(5)), None));
        assert_eq!(rows.to_bytes(), bytes);
    }
}
