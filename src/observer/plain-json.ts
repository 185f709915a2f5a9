/** PlainJson: whether a value can be written as JSON and read again as what it was. Messages and contexts are so by rule. */

/** What is deeper is taken for something that leads back to itself. */
const DEPTH_MAX = 32;

/** A field that is undefined is as good as none. */
export function isPlainJson(value: unknown, depth = DEPTH_MAX): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlainJson(item, depth - 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((field) => field === undefined || isPlainJson(field, depth - 1));
}
