/** Whether two values of plain JSON say the same. The order of the fields of an object says nothing. Nothing is made for it. */
export function areAlike(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) || Array.isArray(right)) return areListsAlike(left, right);
  if (!isObject(left) || !isObject(right)) return false;
  let count = 0;
  for (const name in left) {
    if (!Object.hasOwn(right, name) || !areAlike(left[name], right[name])) return false;
    count += 1;
  }
  for (const name in right) if (Object.hasOwn(right, name)) count -= 1;
  return count === 0;
}

function areListsAlike(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (!areAlike(left[at], right[at])) return false;
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
