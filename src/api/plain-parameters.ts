/**
 * PlainParameters: what a schema makes of a read's parameters, where each of them is as clients of ours write it. Every live client asks
 * with each answer, so this is on the way of a commit, and the schema would cost as much as the rest of the request.
 *
 * It refuses nothing: what it does not know for certain it leaves to the schema, which alone has the words for a refusal.
 */
import { parseColumnList } from '../sql/identifiers.ts';

/**
 * A parameter's text is kept with the shape and with the requests that wait for it. So a body may not bring a longer one
 * than a query can.
 */
export const CHARACTERS_MAX = 262_144;

/** By their names on the wire; one that was not given is not there. */
export interface PlainFields {
  offset: string;
  table?: string;
  where?: string;
  handle?: string;
  cursor?: string;
  columns?: readonly string[];
  queryable_columns?: readonly string[];
  params?: Record<string, string>;
  replica?: 'default' | 'full';
  log?: 'full' | 'changes_only';
  move_outs?: 'events' | 'deletes';
  live?: boolean;
  live_sse?: boolean;
  experimental_live_sse?: boolean;
  experimental_compaction?: boolean;
}

/** Sets the field of that name. @returns false when it is not certain what is meant. */
type Reader = (value: string, into: Partial<PlainFields>) => boolean;

/** A blank text says nothing, but of these two. */
const FLAGS: ReadonlySet<string> = new Set(['live', 'live_sse']);

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['offset', (value, into) => ((into.offset = value), true)],
  ['table', (value, into) => isText(value) && ((into.table = value), true)],
  ['where', (value, into) => isText(value) && ((into.where = value), true)],
  ['handle', (value, into) => isText(value) && ((into.handle = value), true)],
  ['cursor', (value, into) => ((into.cursor = value), true)],
  ['columns', (value, into) => readColumns(value, (names) => (into.columns = names))],
  ['queryable_columns', (value, into) => readColumns(value, (names) => (into.queryable_columns = names))],
  ['replica', (value, into) => (value === 'default' || value === 'full') && ((into.replica = value), true)],
  ['log', (value, into) => (value === 'full' || value === 'changes_only') && ((into.log = value), true)],
  ['move_outs', (value, into) => (value === 'events' || value === 'deletes') && ((into.move_outs = value), true)],
  ['live', (value, into) => ((into.live = value !== 'false'), true)],
  ['live_sse', (value, into) => ((into.live_sse = value !== 'false'), true)],
  ['experimental_live_sse', (value, into) => readFlag(value, (flag) => (into.experimental_live_sse = flag))],
  ['experimental_compaction', (value, into) => readFlag(value, (flag) => (into.experimental_compaction = flag))],
]);

/** @returns undefined when the schema has to say what is meant, or what is wrong. */
export function plainFields(raw: Readonly<Record<string, unknown>>): PlainFields | undefined {
  const into: Partial<PlainFields> = {};
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    const read = READERS.get(name);
    if (read !== undefined) {
      if (typeof value !== 'string') return undefined;
      if (value.trim() === '' && !FLAGS.has(name)) continue;
      if (!read(value, into)) return undefined;
    } else if (name === 'params') {
      const params = plainParams(value);
      if (params === undefined) return undefined;
      into.params = params;
    }
  }
  const { offset } = into;
  return offset === undefined ? undefined : { ...into, offset };
}

function isText(value: string): boolean {
  return value.length <= CHARACTERS_MAX && !value.includes('\0');
}

function readColumns(value: string, set: (names: readonly string[]) => void): boolean {
  if (!isText(value)) return false;
  const names = parseColumnList(value);
  if ('value' in names) set(names.value);
  return 'value' in names;
}

function readFlag(value: string, set: (flag: boolean) => void): boolean {
  const isTrue = value === 'true' || value === '1';
  if (!isTrue && value !== 'false' && value !== '0') return false;
  set(isTrue);
  return true;
}

function plainParams(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const params: Record<string, string> = {};
  let size = 0;
  for (const [name, text] of Object.entries(value)) {
    if (name === '__proto__' || typeof text !== 'string' || !isText(text)) return undefined;
    params[name] = text;
    size += text.length;
  }
  return size <= CHARACTERS_MAX ? params : undefined;
}
