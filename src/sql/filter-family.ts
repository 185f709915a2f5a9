/**
 * FilterFamily: what all filters that differ in their constants alone have in common (`owner = 17`, `owner = 18`), worked out once for
 * them: how they are written in canonical form, and what they are looked up by. A service has ten thousand of these, and begins by reading
 * each. Their trees, and all that is made of those, most of them never need.
 *
 * It is not taken for granted that constants make no other difference. A family has comparisons of columns with constants, and nothing
 * that could be worked out of these when the filter is read; of types whose values compare as they are written, so that any of them that
 * its type has is as good as any other. Two members are read as a whole: where the constants stand in what comes of them must be the same.
 */
import { invariant } from '../base/invariant.ts';
import type { Condition, Operand } from './expression.ts';
import type { RelationName } from './identifiers.ts';
import { partsOf, textOf, type TextConstant } from './syntax/text-constants.ts';
import type { TypeName } from './values/type-names.ts';
import { VALUE_TYPES } from './values/value-types.ts';
import type { ColumnText, DatabaseRules, Lookup, LookupKey, Membership, Where, WhereColumn } from './where.ts';

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
   * @param whole what comes of the text when it is parsed by itself: asked for when more is needed, once.
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
  const { columns, areLookupsExact } = first.where;
  const known = { pieces, lookups, columns, areLookupsExact, types: first.types };
  return isTold(second, known) ? { member: (constants, whole) => memberOf(known, constants, whole) } : undefined;
}

/** Of a member, and of the constants in it. */
interface Sample {
  readonly where: Where;
  readonly types: readonly TypeName[];
  /** Canonical texts, in the order of the constants. */
  readonly values: readonly string[];
}

function sampleOf(text: string, read: (text: string) => ReadFilter | undefined): Sample | undefined {
  const constants = partsOf(text)?.constants ?? [];
  if (constants.length === 0 || constants.length > CONSTANTS_MAX) return undefined;
  const filter = read(text);
  const types = filter && typesIn(filter.condition);
  if (filter === undefined || types?.length !== constants.length) return undefined;
  const areKnown = constants.every(({ kind }, index) => types.some((type, at) => at === index && TYPES[kind].has(type)));
  const values = areKnown ? valuesOf(constants, types) : undefined;
  return values && { where: filter.where, types, values };
}

/** Of its constants, as they stand in it; undefined for one that has something else than comparisons of columns with these. */
function typesIn(condition: Condition): readonly TypeName[] | undefined {
  if (condition.kind === 'and') {
    const parts = condition.parts.map(typesIn).filter((part) => part !== undefined);
    return parts.length === condition.parts.length ? parts.flat() : undefined;
  }
  if (condition.kind !== 'compare' || !COMPARED_AS.has(condition.type)) return undefined;
  const { left, right } = condition;
  if (left.kind !== 'column' && right.kind !== 'column') return undefined;
  const sides = [left, right].map(typesOfSide).filter((side) => side !== undefined);
  return sides.length === 2 ? sides.flat() : undefined;
}

function typesOfSide(side: Operand): readonly TypeName[] | undefined {
  if (side.kind === 'column') return [];
  if (side.kind !== 'constant' || side.value === null || side.isLabel === true || side.namesColumns === true) return undefined;
  return [side.type];
}

/** @returns undefined where one of them is no value of its type. */
function valuesOf(constants: readonly TextConstant[], types: readonly TypeName[]): readonly string[] | undefined {
  const values: string[] = [];
  for (const [index, { value }] of constants.entries()) {
    const type = VALUE_TYPES[types[index] ?? 'text'];
    const parsed = type.parse(value);
    if (parsed === undefined) return undefined;
    values.push(type.canonical(parsed));
  }
  return values;
}

/** What is told of a member without its tree. */
interface Known {
  /** Of the canonical form: what stands before the first constant, between two of them, and behind the last. */
  readonly pieces: readonly string[];
  readonly lookups: readonly KnownLookup[] | undefined;
  readonly columns: readonly string[];
  readonly areLookupsExact: true | undefined;
  readonly types: readonly TypeName[];
}

interface KnownLookup {
  readonly key: LookupKey;
  /** Numbers of constants; null for NULL. */
  readonly values: readonly (number | null)[];
}

function piecesAround({ where, values }: Sample): readonly string[] | undefined {
  const pieces: string[] = [];
  let rest = where.canonical;
  for (const value of values) {
    const at = rest.indexOf(inWords(value));
    if (at === -1) return undefined;
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + inWords(value).length);
  }
  return [...pieces, rest];
}

function lookupsAround({ where: { lookups }, values }: Sample): readonly KnownLookup[] | undefined | 'unlike' {
  const known = lookups?.map((lookup): KnownLookup | undefined => {
    if (lookup.kind !== 'some') return undefined;
    const numbers = lookup.values.map((value) => (value === null ? null : values.indexOf(value)));
    return numbers.includes(-1) ? undefined : { key: lookup.key, values: numbers };
  });
  const found = known?.filter((lookup) => lookup !== undefined);
  return found?.length === known?.length ? found : 'unlike';
}

/** Whether what is told of a member is what came of it as a whole. */
function isTold({ where, types, values }: Sample, known: Known): boolean {
  const lookups = lookupsOf(known, values)?.map(inNames);
  return types.join() === known.types.join()
    && canonicalOf(known, values) === where.canonical
    && where.columns.join('\0') === known.columns.join('\0')
    && JSON.stringify(lookups) === JSON.stringify(where.lookups?.map(inNames))
    && where.areLookupsExact === known.areLookupsExact;
}

function memberOf(known: Known, constants: readonly TextConstant[], whole: () => Where): Where | undefined {
  const values = valuesOf(constants, known.types);
  return values && new Member(known, values, whole);
}

class Member implements Where {
  readonly canonical: string;
  readonly columns: readonly string[];
  readonly lookups: readonly Lookup[] | undefined;
  readonly areLookupsExact?: true;
  private made: Where | undefined;

  constructor(known: Known, values: readonly string[], private readonly make: () => Where) {
    this.canonical = canonicalOf(known, values);
    this.columns = known.columns;
    this.lookups = lookupsOf(known, values);
    if (known.areLookupsExact === true) this.areLookupsExact = true;
  }

  get query(): Where['query'] {
    return this.whole.query;
  }

  evaluate(text: ColumnText, isMember?: Membership): boolean | null {
    return this.whole.evaluate(text, isMember);
  }

  private get whole(): Where {
    this.made ??= this.make();
    invariant(this.made.canonical === this.canonical, 'a member of a family is what comes of it as a whole');
    return this.made;
  }
}

function canonicalOf({ pieces }: Known, values: readonly string[]): string {
  return pieces.reduce((text, piece, index) => `${text}${inWords(values[index - 1] ?? '')}${piece}`);
}

function lookupsOf({ lookups }: Known, values: readonly string[]): readonly Lookup[] | undefined {
  return lookups?.map(({ key, values: numbers }) => {
    return { kind: 'some', key, values: numbers.map((number) => (number === null ? null : values[number] ?? null)) };
  });
}

function inNames(lookup: Lookup): unknown {
  return { ...lookup, key: lookup.key.name };
}

/** As the canonical form has a value. */
function inWords(value: string): string {
  return JSON.stringify(value);
}
