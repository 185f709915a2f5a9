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

export function followedWord(columns: readonly FollowedColumn[]): string {
  const [only = { name: '', casts: [] }] = columns;
  const isName = columns.length === 1 && only.casts.length === 0 && !only.name.startsWith(LIST_START);
  return isName ? only.name : JSON.stringify(columns.map(({ name, casts }) => [name, ...casts]));
}

/** The columns that a word was made of. */
export function followedColumns(word: string): readonly FollowedColumn[] {
  if (!word.startsWith(LIST_START)) return [{ name: word, casts: [] }];
  const lists = JSON.parse(word) as readonly (readonly [string, ...string[]])[];
  return lists.map(([name, ...casts]) => ({ name, casts }));
}
