/** Both ends declare the same channels: an urgent one and one for bulk. */
export const CHANNELS = Object.freeze({ control: { priority: 0 }, bulk: { priority: 2 } });
