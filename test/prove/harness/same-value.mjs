/**
 * Whether two values say the same: as `isDeepStrictEqual`, but invalid dates are alike.
 *
 * @param {unknown} one
 * @param {unknown} other
 * @returns {boolean}
 */
export function isSame(one, other) {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other);
  }
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (Array.isArray(one)) return areSame(one, /** @type {unknown[]} */ (other));
  if (one instanceof Map) {
    const { keys, values } = parts(/** @type {Map<unknown, unknown>} */ (other));
    return areSame([...one.keys()], keys) && areSame([...one.values()], values);
  }
  if (one instanceof Set) return areSame([...one], [.../** @type {Set<unknown>} */ (other)]);
  if (one instanceof Date) return Object.is(one.getTime(), /** @type {Date} */ (other).getTime());
  if (ArrayBuffer.isView(one)) {
    return Buffer.compare(bytesOf(one), bytesOf(/** @type {ArrayBufferView} */ (other))) === 0;
  }
  if (one instanceof ArrayBuffer) {
    return Buffer.compare(Buffer.from(one), Buffer.from(/** @type {ArrayBuffer} */ (other))) === 0;
  }
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Error) {
    const right = /** @type {Error} */ (other);
    const areAlike = isSame(one.name, right.name) && isSame(one.cause, right.cause);
    return areAlike && one.message === right.message;
  }
  return areSameObjects(one, other);
}

/** @param {Map<unknown, unknown>} map */
function parts(map) {
  return { keys: [...map.keys()], values: [...map.values()] };
}

/** @param {ArrayBufferView} view */
function bytesOf(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** @param {unknown[]} ones @param {unknown[]} others */
function areSame(ones, others) {
  if (ones.length !== others.length) return false;
  for (let index = 0; index < ones.length; index += 1) {
    if (!isSame(ones[index], others[index])) return false;
  }
  return true;
}

/** @param {object} one @param {object} other */
function areSameObjects(one, other) {
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(other, key)) return false;
    const [left, right] = [Reflect.get(one, key), Reflect.get(other, key)];
    if (!isSame(left, right)) return false;
  }
  return true;
}
