//! The order in which the entries of a shard leave.

use super::Shard;
use std::time::Duration;

/// The place of an entry in its queue, which is a circle.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Order {
    pub(super) queue: u32,
    pub(super) before: u32,
    pub(super) after: u32,
}

/// Entries that are remembered for equally long, in the order in which their time began.
#[derive(Debug)]
pub(super) struct Queue {
    remember: Duration,
    /// The place of the entry that leaves first.
    pub(super) first: Option<u32>,
}

impl Shard {
    /// Puts an entry that is in no queue at the end of the one for entries that are remembered for so long.
    pub(super) fn append(&mut self, place: u32, remember: Duration) {
        let number = self.queue(remember);
        let Some(queue) = self.queues.get_mut(index(number)) else {
            return;
        };
        let first = *queue.first.get_or_insert(place);
        if let Some(order) = self.order(place) {
            order.queue = number;
        }
        let last = match self.order(first) {
            Some(order) if first != place => order.before,
            Some(_) | None => place,
        };
        self.join(last, place);
        self.join(place, first);
    }

    /// Takes an entry out of its queue.
    pub(super) fn detach(&mut self, place: u32) {
        let Some(Order {
            queue,
            before,
            after,
        }) = self.order(place).copied()
        else {
            return;
        };
        self.join(before, after);
        if let Some(queue) = self.queues.get_mut(index(queue))
            && queue.first == Some(place)
        {
            queue.first = (after != place).then_some(after);
        }
    }

    /// An entry is in another place than before: its neighbours are told.
    pub(super) fn moved(&mut self, from: u32, to: u32) {
        let Some(Order {
            queue,
            before,
            after,
        }) = self.order(to).copied()
        else {
            return;
        };
        let now = |place| if place == from { to } else { place };
        self.join(now(before), to);
        self.join(to, now(after));
        if let Some(queue) = self.queues.get_mut(index(queue))
            && queue.first == Some(from)
        {
            queue.first = Some(to);
        }
    }

    pub(super) fn order(&mut self, place: u32) -> Option<&mut Order> {
        self.entries
            .get_mut(index(place))
            .map(|entry| &mut entry.order)
    }

    fn join(&mut self, before: u32, after: u32) {
        if let Some(order) = self.order(before) {
            order.after = after;
        }
        if let Some(order) = self.order(after) {
            order.before = before;
        }
    }

    /// The queue for entries that are remembered for so long. There are as many as configurations name, and
    /// one that is empty serves others.
    fn queue(&mut self, remember: Duration) -> u32 {
        let mut queues = self.queues.iter();
        if let Some(queue) = queues.position(|queue| queue.remember == remember) {
            return number(queue);
        }
        let mut queues = self.queues.iter_mut().enumerate();
        if let Some((queue, empty)) = queues.find(|(_, queue)| queue.first.is_none()) {
            empty.remember = remember;
            return number(queue);
        }
        self.queues.push(Queue {
            remember,
            first: None,
        });
        number(self.queues.len() - 1)
    }
}

/// A place in half of the room. More than these would be a shard of 500 GB; its entries would stay for ever.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(super) fn index(number: u32) -> usize {
    number as usize
}
