//! A stored answer, as the memory keeps it.

use crate::rejection::Stored;
use std::sync::Arc;

/// An answer in one allocation, which entries share: the status in two bytes, the length of the content type in
/// four, 0 where there is none, the content type, the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed(Arc<[u8]>);

const LENGTHS: usize = 6;

impl Packed {
    pub(super) fn of(answer: &Stored) -> Self {
        let kind = answer.content_type.as_deref().unwrap_or_default();
        // Nothing that is received has a header of 4 GiB.
        let (kind, length) = match u32::try_from(kind.len()) {
            Ok(length) => (kind, length),
            Err(_) => ("", 0),
        };
        let mut bytes = Vec::with_capacity(LENGTHS + kind.len() + answer.body.len());
        bytes.extend_from_slice(&answer.status.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(kind.as_bytes());
        bytes.extend_from_slice(&answer.body);
        Self(bytes.into())
    }

    /// What was packed; `None` of bytes that nobody packed.
    pub(super) fn open(&self) -> Option<Stored> {
        let (status, rest) = self.0.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (kind, body) = rest.split_at_checked(length)?;
        let kind = std::str::from_utf8(kind).ok()?;
        Some(Stored {
            status: u16::from_be_bytes(*status),
            content_type: (!kind.is_empty()).then(|| kind.into()),
            body: body.into(),
        })
    }
}

#[cfg(test)]
impl Packed {
    /// Whether both are one allocation.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_out(
            status: u16,
            kind in proptest::option::of("[a-zé/;]{1,40}"),
            body: Vec<u8>,
        ) {
            let content_type = kind.map(Into::into);
            let answer = Stored { status, content_type, body: body.into() };
            prop_assert_eq!(Packed::of(&answer).open(), Some(answer));
        }
    }
}
