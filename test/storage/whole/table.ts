/**
 * A table that is written to, as values: its transactions, the lines that each kind of shape has of them, and the rows that a client of
 * it must end with. What a storage is compared with; it knows nothing of storage.
 */
import { seededRandom, type Random } from '../../../src/base/random.ts';
import { lineOf, type RowOperation, type RowValues } from '../../support/storage/row-lines.ts';

/** `outer` takes moves from `inner`; `controls` is told every control. */
export const KINDS = ['plain', 'inner', 'outer', 'controls'] as const;
export type Kind = (typeof KINDS)[number];
/** What a transaction has in it: some rows, the same row again and again, more than a block, a control, a move. */
export const WISHES = ['few', 'hot', 'large', 'control', 'move'] as const;
export type Wish = (typeof WISHES)[number];

export type Rows = ReadonlyMap<string, RowValues>;

export interface Change {
  readonly position: number;
  readonly isLast: boolean;
  readonly operation: RowOperation;
}

export interface Transaction {
  readonly commit: number;
  readonly changes: readonly Change[];
  /** As the log keeps them: lists of `Change`, as JSON. */
  readonly fragments: readonly string[];
  readonly rowsAfter: Rows;
}

/** Which rows a shape is of. */
const KEYS: Readonly<Record<Kind, string>> = { plain: 'abcd', inner: 'ab', outer: 'cd', controls: 'ac' };
const MOVE = 'move';
const CHANGES: Readonly<Record<Wish, number>> = { few: 2, hot: 6, large: 12, control: 1, move: 1 };
const CHANGES_PER_FRAGMENT = 2;

/** LSNs of commits stand apart: there is room for a splice before each. */
export function lsnAt(commit: number): number {
  return 10 * commit;
}

export function transactionOf(commit: number, wish: Wish, before: Rows): Transaction {
  const random = seededRandom(commit * 31 + WISHES.indexOf(wish));
  const operations: RowOperation[] = wish === 'control' || wish === 'move' ? [{ do: 'control', name: wish }] : [];
  let rows = before;
  for (let index = 0; index < CHANGES[wish]; index += 1) {
    const text = `${commit}.${index}`;
    const operation = wish === 'hot' ? hotOn(index % 2 === 0 ? 'a' : 'c', rows, text) : someOn(rows, random, text);
    operations.push(operation);
    rows = withOperation(rows, operation);
  }
  const changes = operations.map((operation, index) => ({ position: 2 * index, isLast: index === operations.length - 1, operation }));
  return { commit, changes, fragments: fragmentsOf(changes), rowsAfter: rows };
}

export function changesIn(fragment: string): readonly Change[] {
  return JSON.parse(fragment) as Change[];
}

/** A splice comes before such a transaction. */
export function isMove({ operation }: Change): boolean {
  return operation.do === 'control' && operation.name === MOVE;
}

/** @returns undefined when a shape of this kind has no line of it. */
export function lineFor(kind: Kind, commit: number, { position, isLast, operation }: Change): string | undefined {
  const isOfIt = operation.do === 'control' ? kind === 'controls' : KEYS[kind].includes(operation.key);
  return isOfIt ? lineOf(operation, { xid: commit, lsn: lsnAt(commit), position, isLast }) : undefined;
}

export function rowsOf(kind: Kind, rows: Rows): Rows {
  return new Map([...rows].filter(([key]) => KEYS[kind].includes(key)));
}

/** As a snapshot has them. */
export function snapshotLines(rows: Rows): string[] {
  return [...rows].map(([key, value]) => lineOf({ do: 'insert', key, value }, { xid: 1, lsn: 0, position: 0, isLast: false }));
}

/** As a client has them: with their keys, and by which values they are there, which none of these says. */
export function asClientHas(rows: Rows): Rows {
  return new Map([...rows].map(([key, value]) => [key, { id: key, ...value, tag: null }]));
}

export function withOperation(rows: Rows, operation: RowOperation): Rows {
  if (operation.do === 'control') return rows;
  const { key, value } = operation;
  if (operation.do === 'delete') return new Map([...rows].filter(([other]) => other !== key));
  return new Map([...rows, [key, { ...rows.get(key), ...value }]]);
}

function hotOn(key: string, rows: Rows, text: string): RowOperation {
  return rows.has(key) ? { do: 'update', key, value: { x: text } } : { do: 'insert', key, value: { x: text, y: '' } };
}

function someOn(rows: Rows, random: Random, text: string): RowOperation {
  const key = 'abcd'.charAt(random.below(4));
  if (!rows.has(key)) return { do: 'insert', key, value: { x: text, y: '' } };
  if (random.below(6) === 0) return { do: 'delete', key, value: {} };
  return { do: 'update', key, value: { [random.below(2) === 0 ? 'x' : 'y']: text } };
}

function fragmentsOf(changes: readonly Change[]): readonly string[] {
  const count = Math.ceil(changes.length / CHANGES_PER_FRAGMENT);
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify(changes.slice(index * CHANGES_PER_FRAGMENT, (index + 1) * CHANGES_PER_FRAGMENT)),
  );
}
