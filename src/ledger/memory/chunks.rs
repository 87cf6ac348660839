//! A list that grows and shrinks without being copied.

use std::mem;

/// A list in pieces of [`SIZE`]: one that grows touches nothing that is there, and one that shrinks gives every
/// piece back. It has no gaps: what leaves is replaced by the last.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// All are full but the last, which is not empty.
    chunks: Vec<Vec<T>>,
}

/// With entries of 128 bytes, a page.
const SIZE: usize = 32;

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1);
        full * SIZE + self.chunks.last().map_or(0, Vec::len)
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / SIZE)?.get(place % SIZE)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.chunks.get_mut(place / SIZE)?.get_mut(place % SIZE)
    }

    /// Puts one in the place behind the last.
    pub(super) fn push(&mut self, item: T) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < SIZE => chunk.push(item),
            Some(_) | None => {
                let mut chunk = Vec::with_capacity(SIZE);
                chunk.push(item);
                self.chunks.push(chunk);
            }
        }
    }

    /// Takes out the one in this place, which the last one takes.
    pub(super) fn swap_remove(&mut self, place: usize) -> Option<T> {
        if place >= self.len() {
            return None;
        }
        let last = self.pop()?;
        match self.get_mut(place) {
            Some(there) => Some(mem::replace(there, last)),
            None => Some(last),
        }
    }

    fn pop(&mut self) -> Option<T> {
        let chunk = self.chunks.last_mut()?;
        let last = chunk.pop();
        if chunk.is_empty() {
            self.chunks.pop();
            if self.chunks.len() < self.chunks.capacity() / 4 {
                self.chunks.shrink_to(self.chunks.len() * 2);
            }
        }
        last
    }

    /// For how many it has memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.iter().map(Vec::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_a_list(steps in proptest::collection::vec(0usize..300, 1..1000)) {
            let (mut chunks, mut list) = (Chunks::new(), Vec::new());
            for (number, step) in steps.into_iter().enumerate() {
                if step < list.len() {
                    prop_assert_eq!(chunks.swap_remove(step), Some(list.swap_remove(step)));
                } else {
                    prop_assert_eq!(chunks.swap_remove(step), None);
                    chunks.push(number);
                    list.push(number);
                }
                prop_assert_eq!(chunks.len(), list.len());
                prop_assert!(chunks.capacity() < list.len() + SIZE);
                for place in 0..=list.len() {
                    prop_assert_eq!(chunks.get(place), list.get(place));
                    prop_assert_eq!(chunks.get_mut(place), list.get_mut(place));
                }
            }
        }
    }
}
