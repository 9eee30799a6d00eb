/** The task of the rival piscina. @param {number} value */
export const next = (value) => value + 1;
