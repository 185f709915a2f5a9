/**
 * WhereReadable: a checked filter as people read it: constants stand in it as literals, and what is long ends early. For Postgres
 * `where-printer` prints, with parameters.
 */
import { isOperand, type ColumnReference, type Condition, type Operand } from './expression.ts';
import { printReadable, printReadableOperand } from './where-printer.ts';
import type { TypeName } from './values/type-names.ts';

export const TEXT_CHARACTERS_MAX = 1000;
const CONSTANT_CHARACTERS_MAX = 200;

/** Their literals need no quotes. */
const BARE: ReadonlySet<string> = new Set<TypeName>(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);
/** Any literal is one of them, unless it says otherwise. */
const PLAIN: ReadonlySet<string> = new Set<TypeName>(['text', 'varchar', 'bpchar', 'name']);
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** Its parts are written once each, and not again for each node above: a filter may nest hundreds deep. */
const written = new WeakMap<Condition, string>();

export function readableCondition(condition: Condition): string {
  const known = written.get(condition) ?? readable(condition);
  written.set(condition, known);
  return known;
}

export function readableOperand(operand: Operand | ColumnReference): string {
  return cutText(printReadableOperand(operand, literal));
}

/** Half of a character is none. */
export function cutText(text: string, charactersMax = TEXT_CHARACTERS_MAX): string {
  if (text.length <= charactersMax) return text;
  return `${text.slice(0, charactersMax).replace(/[\ud800-\udbff]$/, '')}…`;
}

function readable(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return cutText(`(${condition.parts.map(readableCondition).join(condition.kind === 'and' ? ' AND ' : ' OR ')})`);
    case 'not':
      return cutText(`(NOT ${readableCondition(condition.part)})`);
    case 'isTruth': {
      const truth = condition.truth === null ? 'UNKNOWN' : String(condition.truth).toUpperCase();
      return cutText(`(${readableCondition(condition.part)} IS ${truth})`);
    }
    case 'isNull':
      if (!isOperand(condition.part)) return cutText(`(${readableCondition(condition.part)} IS NULL)`);
      return cutText(printReadable(condition, literal));
    default:
      return cutText(printReadable(condition, literal));
  }
}

function literal(type: TypeName, text: string | null): string {
  if (text === null) return 'NULL';
  if (BARE.has(type) && NUMBER.test(text)) return text;
  if (type === 'bool') return text === 't' ? 'true' : text === 'f' ? 'false' : quoted(text);
  return PLAIN.has(type) ? quoted(text) : `${quoted(text)}::${type}`;
}

function quoted(text: string): string {
  return `'${cutText(text, CONSTANT_CHARACTERS_MAX).replaceAll("'", "''")}'`;
}
