//! Which queue of a lane writes next: strictly by priority, by weight among equals (deficit round robin).

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
            if !queues[index].is_ready() {
                queues[index].deficit = 0; // an idle channel saves nothing up
            }
        }
        loop {
            for step in 0..self.order.len() {
                let place = (self.cursor + step) % self.order.len();
                let queue = &queues[self.order[place]];
                if queue.priority == priority && queue.is_ready() && queue.deficit > 0 {
                    self.cursor = place;
                    return Some(self.order[place]);
                }
            }
            // The round is over: everybody ready at this priority earns its share.
            self.cursor = (self.cursor + 1) % self.order.len();
            for &index in &self.order {
                let queue = &mut queues[index];
                if queue.priority == priority && queue.is_ready() {
                    queue.deficit += i64::from(queue.weight) * quantum as i64;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transmit::Batch;
    use foundation_frame::DataHeader;

    fn fill(queue: &mut Queue, messages: usize) {
        for _ in 0..messages {
            queue.push_express(&DataHeader::default(), &[0; 60_000], &mut Vec::new());
        }
    }

    fn serve(queues: &mut [Queue], rounds: usize) -> Vec<u16> {
        let members = (0..queues.len()).collect();
        let mut schedule = Schedule::new(queues, members);
        let mut batch = Batch::default();
        let mut served = Vec::new();
        while served.len() < rounds {
            let Some(index) = schedule.pick(queues, 60_064) else { break };
            if let crate::queue::Step::Wrote { bytes, .. } =
                queues[index].transmit(1 << 20, &mut batch)
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
}
