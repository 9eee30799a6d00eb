/** Pings go on an urgent channel, which has a ring of its own into each isolate. */
export const URGENT = Object.freeze({
  channels: { control: { priority: 0 } },
  options: { channel: "control" },
});
