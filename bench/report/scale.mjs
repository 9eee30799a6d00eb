/** Axes: from a figure to a place, straight or by powers of ten. */

/** From this ratio of the largest to the least figure on, a straight scale hides the small ones. */
const LOGARITHMIC_FROM = 12;

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} place from 0 to `length`
 * @property {number[]} ticks
 * @property {boolean} isLogarithmic
 */

/**
 * A scale by powers of ten that begins and ends at one.
 *
 * @param {readonly number[]} values above 0
 * @param {number} length
 * @returns {Scale}
 */
export function logarithmicScale(values, length) {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    place: (value) => ((Math.log10(value) - low) / (high - low)) * length,
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
    isLogarithmic: true,
  };
}

/** The least of 1, 2 and 5 times a power of ten that is not below a value. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= value - 1e-12);
}

/**
 * A straight scale from 0, with about four ticks.
 *
 * @param {readonly number[]} values
 * @param {number} length
 * @returns {Scale}
 */
export function straightScale(values, length) {
  // Where all is 0 there has to be an axis all the same.
  const largest = Math.max(...values) || 1;
  const step = roundUp(largest / 4);
  const count = Math.ceil(largest / step - 1e-9);
  return {
    place: (value) => (value / (step * count)) * length,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    isLogarithmic: false,
  };
}

/**
 * The scale that shows all values: straight as long as the least can be seen, or is 0.
 *
 * @param {readonly number[]} values of at least 0
 * @param {number} length
 * @returns {Scale}
 */
export function fittingScale(values, length) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least > 0 && most / least >= LOGARITHMIC_FROM
    ? logarithmicScale(values, length)
    : straightScale(values, length);
}
