/**
 * FilterFamily: what all filters that differ in their constants alone have in common (`owner = 17`, `owner = 18`), worked out once for
 * them: how they are written in canonical form, what they are looked up by, and what is asked of a row. A service has ten thousand of
 * these, begins by reading each, and may ask each about one row. A tree of its own hardly any of them needs.
 *
 * It is not taken for granted that constants make no other difference. A family has comparisons of columns with constants, and nothing
 * that could be worked out of these when the filter is read; of types whose values compare as they are written, so that any of them that
 * its type has is as good as any other. Two members are read as a whole: where the constants stand in what comes of them must be the same.
 */
import { invariant } from '../base/invariant.ts';
import type { Call, Condition, Constant, Operand } from './expression.ts';
import type { RelationName } from './identifiers.ts';
import { partsOf, textOf, type TextConstant } from './syntax/text-constants.ts';
import type { TypeName } from './values/type-names.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import type { Value } from './values/values.ts';
import { compileCondition } from './where-compiler.ts';
import type { ColumnText, DatabaseRules, Lookup, LookupKey, Where, WhereColumn } from './where.ts';

export interface FamilyLanguage {
  /**
   * Filters without parameters and subqueries that differ in their constants alone. It costs two filters.
   *
   * @param template as of `partsOf`. The others are those of `WhereLanguage.parse`.
   * @returns undefined where they are to be parsed one by one.
   */
  family(template: string, columns: readonly WhereColumn[], database?: DatabaseRules, table?: RelationName): FilterFamily | undefined;
}

export interface FilterFamily {
  /**
   * @param constants of a text of this family.
   * @param whole what comes of the text when it is parsed by itself: asked for when Postgres is to be asked, once.
   * @returns what `whole` gives, as far as can be told; undefined for a text that is to be parsed by itself, since it may be refused.
   */
  member(constants: readonly TextConstant[], whole: () => Where): Where | undefined;
}

/** A member that was read as a whole. */
export interface ReadFilter {
  readonly condition: Condition;
  readonly where: Where;
}

type Kind = TextConstant['kind'];

/** As which types a constant is read, by how it is written. Their canonical text is the same as whichever of these they compare. */
const TYPES: Readonly<Record<Kind, ReadonlySet<TypeName>>> = {
  integer: new Set<TypeName>(['int4']),
  long: new Set<TypeName>(['int8']),
  string: new Set<TypeName>(['text', 'varchar', 'uuid']),
};
const COMPARED_AS = new Set<TypeName>(['int2', 'int4', 'int8', 'text', 'varchar', 'uuid']);
/** Of a text; more of them are no filter that many clients have. */
const CONSTANTS_MAX = 16;
/** Negated, it fits the type for small numbers, and the parser gives it that. */
const SMALL_WHEN_NEGATED = '2147483648';

type Samples = Readonly<Record<Kind, (number: number) => string>>;

/** Each is written otherwise than all others. A string is one that may be of any of its types. */
const FIRST: Samples = {
  integer: (number) => String(1_000 + number),
  long: (number) => String(3_000_000_000 + number),
  string: (number) => `'00000000-0000-4000-8000-0000000000${10 + number}'`,
};
/** A text is one of which nothing is left as it was that could be made of it when it is read: other letters, no spaces, or less of it. */
const SECOND: Samples = {
  integer: (number) => String(2_000_100 + number),
  long: (number) => String(5_000_000_000_100 + number),
  string: (number) => `' Of a Text which is not a short one ${30 + number} '`,
};
const UUID: Samples['string'] = (number) => `'ffffffff-0000-4000-8000-1234567890${30 + number}'`;

/**
 * @param template as of `partsOf`.
 * @param read parses a text by itself; undefined for one that is refused.
 * @returns undefined where texts with this template are to be parsed one by one.
 */
export function filterFamily(template: string, read: (text: string) => ReadFilter | undefined): FilterFamily | undefined {
  const first = sampleOf(textOf(template, (kind, number) => FIRST[kind](number)), read);
  if (first === undefined) return undefined;
  const written: Samples['string'] = (number) => (first.types[number] === 'uuid' ? UUID : SECOND.string)(number);
  const second = sampleOf(textOf(template, (kind, number) => (kind === 'string' ? written : SECOND[kind])(number)), read);
  if (second === undefined) return undefined;
  const pieces = piecesAround(first);
  const lookups = lookupsAround(first);
  if (pieces === undefined || lookups === 'unlike') return undefined;
  const { condition, signs, types, where: { columns, areLookupsExact } } = first;
  const known = { pieces, lookups, columns, areLookupsExact, types, signs, ask: compileOpen(condition) };
  return isTold(second, known) ? { member: (constants, whole) => memberOf(known, constants, whole) } : undefined;
}

/** Of a member, and of the constants in it. */
interface Sample extends Written {
  readonly where: Where;
  readonly condition: Condition;
  /** In the order of the constants. */
  readonly values: readonly Value[];
  readonly texts: readonly string[];
}

/** How the constants of a text are read, in their order. */
interface Written {
  readonly types: readonly TypeName[];
  readonly signs: readonly Sign[];
}

/** The parser makes one constant of a number and the minus before it. */
type Sign = '' | '-';
const SIGNS: readonly Sign[] = ['', '-'];

function sampleOf(text: string, read: (text: string) => ReadFilter | undefined): Sample | undefined {
  const constants = partsOf(text)?.constants ?? [];
  if (constants.length === 0 || constants.length > CONSTANTS_MAX) return undefined;
  const filter = read(text);
  const found = filter && constantsIn(filter.condition);
  if (filter === undefined || found?.length !== constants.length) return undefined;
  const signs = constants.flatMap((constant, number) => signOf(constant, found[number]) ?? []);
  if (signs.length !== constants.length) return undefined;
  const types = found.map(({ type }) => type);
  const values = valuesOf(constants, { types, signs });
  return values && { ...filter, types, signs, values, texts: textsOf(values, types) };
}

/** Those of a condition, as they stand in it; undefined for one that has something else than comparisons of columns with these. */
function constantsIn(condition: Condition): readonly Constant[] | undefined {
  if (condition.kind === 'and') {
    const parts = condition.parts.map(constantsIn).filter((part) => part !== undefined);
    return parts.length === condition.parts.length ? parts.flat() : undefined;
  }
  if (condition.kind !== 'compare' || !COMPARED_AS.has(condition.type)) return undefined;
  const { left, right } = condition;
  if (left.kind !== 'column' && right.kind !== 'column') return undefined;
  const sides = [left, right].map(constantsOfSide).filter((side) => side !== undefined);
  return sides.length === 2 ? sides.flat() : undefined;
}

function constantsOfSide(side: Operand): readonly Constant[] | undefined {
  if (side.kind === 'column') return [];
  if (side.kind !== 'constant' || side.value === null || side.isLabel === true || side.namesColumns === true) return undefined;
  return [side];
}

/** @returns undefined where it is not what became of the constant of the text. */
function signOf({ kind, value }: TextConstant, found: Constant | undefined): Sign | undefined {
  if (found === undefined || !TYPES[kind].has(found.type)) return undefined;
  return SIGNS.find((sign) => VALUE_TYPES[found.type].parse(sign + value) === found.value);
}

/** @returns undefined where one of them is no value of its type. */
function valuesOf(constants: readonly TextConstant[], { types, signs }: Written): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const [index, { value }] of constants.entries()) {
    const sign = signs[index] ?? '';
    const parsed = sign === '-' && value === SMALL_WHEN_NEGATED ? undefined : VALUE_TYPES[types[index] ?? 'text'].parse(sign + value);
    if (parsed === undefined) return undefined;
    values.push(parsed);
  }
  return values;
}

/** In canonical form. */
function textsOf(values: readonly Value[], types: readonly TypeName[]): readonly string[] {
  return values.map((value, index) => VALUE_TYPES[types[index] ?? 'text'].canonical(value));
}

/** Asks one row. @param values of the constants, in their order. */
type Ask = (text: ColumnText, values: readonly Value[]) => boolean | null;

/** A condition whose constants are given with each row. It asks one row at a time, and reads nothing of it that would ask another. */
function compileOpen(condition: Condition): Ask {
  let given: readonly Value[] = [];
  const evaluate = compileCondition(opened(condition, (index) => given[index] ?? null));
  return (text, values) => {
    given = values;
    return evaluate(text);
  };
}

function opened(condition: Condition, given: (index: number) => Value | null): Condition {
  let count = 0;
  const sideOf = (side: Operand): Operand => {
    if (side.kind !== 'constant') return side;
    const index = count;
    count += 1;
    return openConstant(side, () => given(index));
  };
  const partOf = (part: Condition): Condition => {
    if (part.kind === 'and') return { ...part, parts: part.parts.map(partOf) };
    return part.kind === 'compare' ? { ...part, left: sideOf(part.left), right: sideOf(part.right) } : part;
  };
  return partOf(condition);
}

/** It is never printed. */
function openConstant({ type }: Constant, read: () => Value | null): Call {
  return { kind: 'call', type, operation: { sql: () => '', compile: () => read }, args: [] };
}

/** What is told of a member without its tree. */
interface Known extends Written {
  /** Of the canonical form: what stands before the first constant, between two of them, and behind the last. */
  readonly pieces: readonly string[];
  readonly lookups: readonly KnownLookup[] | undefined;
  readonly columns: readonly string[];
  readonly areLookupsExact: true | undefined;
  readonly ask: Ask;
}

interface KnownLookup {
  readonly key: LookupKey;
  /** Numbers of constants; null for NULL. */
  readonly values: readonly (number | null)[];
}

function piecesAround({ where, texts }: Sample): readonly string[] | undefined {
  const pieces: string[] = [];
  let rest = where.canonical;
  for (const text of texts) {
    const at = rest.indexOf(inWords(text));
    if (at === -1) return undefined;
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + inWords(text).length);
  }
  return [...pieces, rest];
}

function lookupsAround({ where: { lookups }, texts }: Sample): readonly KnownLookup[] | undefined | 'unlike' {
  const known = lookups?.map((lookup): KnownLookup | undefined => {
    if (lookup.kind !== 'some') return undefined;
    const numbers = lookup.values.map((value) => (value === null ? null : texts.indexOf(value)));
    return numbers.includes(-1) ? undefined : { key: lookup.key, values: numbers };
  });
  const found = known?.filter((lookup) => lookup !== undefined);
  return found?.length === known?.length ? found : 'unlike';
}

/** Whether what is told of a member is what came of it as a whole. */
function isTold({ where, types, signs, texts }: Sample, known: Known): boolean {
  const lookups = lookupsOf(known, texts)?.map(inNames);
  return types.join() === known.types.join() && signs.join() === known.signs.join()
    && canonicalOf(known, texts) === where.canonical
    && where.columns.join('\0') === known.columns.join('\0')
    && JSON.stringify(lookups) === JSON.stringify(where.lookups?.map(inNames))
    && where.areLookupsExact === known.areLookupsExact;
}

function memberOf(known: Known, constants: readonly TextConstant[], whole: () => Where): Where | undefined {
  const values = valuesOf(constants, known);
  return values && new Member(known, values, whole);
}

/** Holds no more than its constants: what is asked once when a shape begins is worked out then. */
class Member implements Where {
  readonly areLookupsExact?: true;
  private made: Where | undefined;

  constructor(private readonly known: Known, private readonly values: readonly Value[], private readonly make: () => Where) {
    if (known.areLookupsExact === true) this.areLookupsExact = true;
  }

  get canonical(): string {
    return canonicalOf(this.known, this.texts);
  }

  get columns(): readonly string[] {
    return this.known.columns;
  }

  get lookups(): readonly Lookup[] | undefined {
    return lookupsOf(this.known, this.texts);
  }

  get query(): Where['query'] {
    return this.whole.query;
  }

  evaluate(text: ColumnText): boolean | null {
    return this.known.ask(text, this.values);
  }

  private get texts(): readonly string[] {
    return textsOf(this.values, this.known.types);
  }

  private get whole(): Where {
    this.made ??= this.make();
    invariant(this.made.canonical === this.canonical, 'a member of a family is what comes of it as a whole');
    return this.made;
  }
}

function canonicalOf({ pieces }: Known, texts: readonly string[]): string {
  return pieces.reduce((text, piece, index) => `${text}${inWords(texts[index - 1] ?? '')}${piece}`);
}

function lookupsOf({ lookups }: Known, texts: readonly string[]): readonly Lookup[] | undefined {
  return lookups?.map(({ key, values: numbers }) => {
    return { kind: 'some', key, values: numbers.map((number) => (number === null ? null : texts[number] ?? null)) };
  });
}

function inNames(lookup: Lookup): unknown {
  return { ...lookup, key: lookup.key.name };
}

/** As the canonical form has a value. */
function inWords(value: string): string {
  return JSON.stringify(value);
}
