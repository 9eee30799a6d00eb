/** The task of the piscina rival. */

/** @template T @param {T} object */
export const echo = (object) => object;
