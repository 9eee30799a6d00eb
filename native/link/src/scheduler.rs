//! Which queue of a lane writes next: strictly by priority, by weight among equals (deficit round
//! robin).

use crate::queue::Queue;

/// The queues of one lane, most urgent first.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    order: Vec<usize>,
    cursor: usize,
}

impl Schedule {
    pub(crate) fn new(queues: &[Queue], mut members: Vec<usize>) -> Schedule {
        members.sort_by_key(|&index| (queues[index].priority, queues[index].channel));
        Schedule { order: members, cursor: 0 }
    }

    pub(crate) fn has_ready(&self, queues: &[Queue]) -> bool {
        self.order.iter().any(|&index| queues[index].is_ready())
    }

    /// The queue to serve now. `quantum` is what a weight of one earns a round, in bytes.
    pub(crate) fn pick(&mut self, queues: &mut [Queue], quantum: usize) -> Option<usize> {
        let urgent = self.order.iter().find(|&&index| queues[index].is_ready())?;
        let priority = queues[*urgent].priority;
        for &index in &self.order {
            let queue = &mut queues[index];
            if !queue.is_ready() {
                queue.deficit = queue.deficit.min(0); // an idle channel saves nothing up
            }
        }
        if let Some(index) = self.first_in_credit(queues, priority) {
            return Some(index);
        }
        self.start_round(queues, priority, quantum);
        self.first_in_credit(queues, priority)
    }

    fn first_in_credit(&mut self, queues: &[Queue], priority: u8) -> Option<usize> {
        let count = self.order.len();
        let places = (0..count).map(|step| (self.cursor + step) % count);
        let place = places.into_iter().find(|&place| {
            let queue = &queues[self.order[place]];
            is_candidate(queue, priority) && queue.deficit > 0
        })?;
        self.cursor = place;
        Some(self.order[place])
    }

    /// Everybody ready at this priority earns its share, of as many rounds as the first of them
    /// needs to be served again: counted, since a large write leaves a debt of many rounds.
    fn start_round(&mut self, queues: &mut [Queue], priority: u8, quantum: usize) {
        self.cursor = (self.cursor + 1) % self.order.len();
        let share = |queue: &Queue| i64::from(queue.weight) * quantum.max(1) as i64;
        let rounds = self
            .order
            .iter()
            .map(|&index| &queues[index])
            .filter(|queue| is_candidate(queue, priority))
            .map(|queue| -queue.deficit / share(queue) + 1)
            .min()
            .unwrap_or(0);
        for &index in &self.order {
            let queue = &mut queues[index];
            if is_candidate(queue, priority) {
                queue.deficit += rounds * share(queue);
            }
        }
    }
}

fn is_candidate(queue: &Queue, priority: u8) -> bool {
    queue.priority == priority && queue.is_ready()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use foundation_frame::DataHeader;

    fn fill(queue: &mut Queue, messages: usize) {
        for _ in 0..messages {
            queue.push_express(&DataHeader::default(), &[0; 66_000], &mut Vec::new());
        }
    }

    fn serve(queues: &mut [Queue], rounds: usize) -> Vec<u16> {
        let members = (0..queues.len()).collect();
        let mut schedule = Schedule::new(queues, members);
        let mut batch = Batch::default();
        let mut served = Vec::new();
        while served.len() < rounds {
            let Some(index) = schedule.pick(queues, 66_064) else { break };
            if let crate::queue::Step::Wrote { bytes, .. } =
                queues[index].transmit(1 << 20, &mut Vec::new(), &mut batch)
            {
                queues[index].deficit -= bytes as i64;
                served.push(queues[index].channel);
            }
        }
        served
    }

    #[test]
    fn an_urgent_channel_goes_before_everything_else() {
        let mut queues = [Queue::new(0, 1, 1), Queue::new(1, 0, 1)];
        fill(&mut queues[0], 3);
        fill(&mut queues[1], 3);
        assert_eq!(serve(&mut queues, 10), vec![1, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn equals_share_by_weight() {
        let mut queues = [Queue::new(0, 1, 1), Queue::new(1, 1, 3)];
        fill(&mut queues[0], 40);
        fill(&mut queues[1], 40);
        let served = serve(&mut queues, 40);
        let heavy = served.iter().filter(|&&channel| channel == 1).count();
        assert_eq!(heavy, 30);
    }

    #[test]
    fn a_debt_of_many_rounds_or_a_weight_of_nothing_does_not_stall_the_pick() {
        let mut queues = [Queue::new(0, 1, 1), Queue::new(1, 1, 0)];
        fill(&mut queues[0], 4);
        fill(&mut queues[1], 4);
        queues[0].deficit = i64::MIN / 4;
        queues[1].deficit = i64::MIN / 2;
        assert_eq!(serve(&mut queues, 10).len(), 8);
    }
}
