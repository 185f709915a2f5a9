/** Active states: a state as one line of text (`running.(ingest.live | snapshot.complete)`), as the states of a chart that it is in. */

/** @returns the ids of all states that are active, outer ones before those in them; never the root's. */
export function activeStates(text: string, around = ''): readonly string[] {
  return regionsOf(text).flatMap((region) => {
    const open = region.indexOf('(');
    const names = (open < 0 ? region : region.slice(0, open)).split('.').filter((name) => name !== '');
    const ids = names.map((_, index) => [around, ...names.slice(0, index + 1)].filter((name) => name !== '').join('.'));
    return open < 0 ? ids : [...ids, ...activeStates(region.slice(open + 1, -1), ids.at(-1) ?? around)];
  });
}

/** Parted where no bracket is open. */
function regionsOf(text: string): readonly string[] {
  const regions: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '(') depth += 1;
    if (text[index] === ')') depth -= 1;
    if (depth > 0 || !text.startsWith(' | ', index)) continue;
    regions.push(text.slice(begin, index));
    begin = index + ' | '.length;
  }
  return [...regions, text.slice(begin)];
}

/** @returns what of `to` was not so in `from`, the innermost states alone; all of `to` where nothing has changed. */
export function enteredState(from: string | null, to: string): string {
  if (from === null) return to;
  const before = activeStates(from);
  const entered = activeStates(to).filter((id) => !before.includes(id));
  const innermost = entered.filter((id) => !entered.some((other) => other.startsWith(`${id}.`)));
  return innermost.length === 0 ? to : innermost.join(' | ');
}

/** @returns what of `from` is not so in `to` any more. */
export function leftState(from: string | null, to: string): string {
  return from === null ? '' : enteredState(to, from);
}
