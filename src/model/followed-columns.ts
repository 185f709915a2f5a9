/**
 * FollowedColumns: what a Materializer keeps of each row of a shape: the value of a column, or those of several as one row value, each
 * as it is or cast. It is a part of a Materializer's name, so it is written as one word: a column that is alone and as it is by its name.
 */
export interface FollowedColumn {
  readonly name: string;
  /** Names of types, in the order in which it is cast to them. */
  readonly casts: readonly string[];
}

const LIST_START = '[';
/** Behind the columns of row values that are looked up by some of their parts, too. */
const BY_PARTS = 'parts';

type Lists = readonly (readonly [string, ...string[]] | typeof BY_PARTS)[];

export function followedWord(columns: readonly FollowedColumn[], isByParts = false): string {
  const [only = { name: '', casts: [] }] = columns;
  const isName = columns.length === 1 && only.casts.length === 0 && !only.name.startsWith(LIST_START);
  if (isName) return only.name;
  return JSON.stringify([...columns.map(({ name, casts }) => [name, ...casts]), ...(isByParts ? [BY_PARTS] : [])]);
}

/** The columns that a word was made of. */
export function followedColumns(word: string): readonly FollowedColumn[] {
  if (!word.startsWith(LIST_START)) return [{ name: word, casts: [] }];
  return (JSON.parse(word) as Lists).flatMap((list) => (list === BY_PARTS ? [] : [{ name: list[0], casts: list.slice(1) }]));
}

export function isByParts(word: string): boolean {
  return word.startsWith(LIST_START) && (JSON.parse(word) as Lists).includes(BY_PARTS);
}
