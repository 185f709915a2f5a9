/**
 * Is a table, as the catalogue has it, still the one that a shape was made of? The stream tells of other names and types alone, and only
 * with the next row. So a shape keeps what else its rows depend on, in short, and is over when:
 *
 * - a column that it reads is another one under the same name, or the table has another primary key;
 * - the values of one were all written anew: the catalogue has another row for it, and the table lies in other files. VACUUM FULL does
 *   the one, SET DEFAULT the other. Of one whose default was not written out yet, which is done with the files, that says nothing;
 * - the labels of an enum, or the parts of a composite type, are written otherwise; a label that was added concerns nobody;
 * - one that it selects may be NULL by now, which clients were told it may not;
 * - one that its filter reads sorts otherwise.
 */
import { fnvHash } from '../base/fnv-hash.ts';
import type { ColumnFacts, MadeType } from '../model/column-facts.ts';
import type { FoundColumn, FoundTable } from '../model/found-table.ts';
import type { Column, Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { typeNameOf } from '../sql/values/type-names.ts';
import { endingOf } from './layout-change.ts';

/** @param reads the columns that the shape reads. @returns undefined where the catalogue was not asked for it. */
export function factsOf({ files }: Relation, reads: readonly Column[], filtered: readonly string[]): ShapeDefinition['facts'] {
  if (files === undefined) return undefined;
  const texts = reads.flatMap(({ name, facts }) => (facts === undefined ? [] : [textOf(facts, filtered.includes(name))]));
  if (texts.length < reads.length) return undefined;
  const types = reads.flatMap(({ name, typeOid, typeName, dimensions }) => {
    return typeNameOf(typeOid) === typeName ? [] : [[name, [typeName, dimensions]] as const];
  });
  return { files, columns: texts.join(' '), ...(types.length === 0 ? {} : { types: Object.fromEntries(types) }) };
}

/** Of those that the shape reads, the names of the columns that might not be NULL. */
export function requiredColumns({ facts, reads }: ShapeDefinition): ReadonlySet<string> {
  const texts = facts?.columns.split(' ') ?? [];
  return new Set(reads.flatMap(({ name }, index) => (TEXT.exec(texts[index] ?? '')?.groups?.['notNull'] === '!' ? [name] : [])));
}

/** True when the log of a shape of this definition cannot go on: its rows are others than those of the table, or say less. */
export function alteringOf(found: FoundTable): (definition: ShapeDefinition) => boolean {
  const ends = endingOf(found);
  const present = new Map(found.columns.map((column) => [column.name, column]));
  const key = keyOf(found.columns);
  return judgedOnce((definition) => {
    if (ends(definition) || definition.primaryKey.join() !== key) return true;
    const { facts, reads, columns } = definition;
    if (facts === undefined) return false;
    const isRewritten = facts.files !== found.files;
    const texts = facts.columns.split(' ');
    return reads.some(({ name }, index) => isOther(texts[index] ?? '', present.get(name)?.facts, columns.includes(name), isRewritten));
  });
}

interface Verdict {
  readonly found: FoundTable;
  readonly definition: ShapeDefinition;
  readonly isOver: boolean;
}

/** The last of each answer of the catalogue, which is one object for those who were answered alike (`KnownTables`). */
const verdicts = new WeakMap<FoundTable['columns'], Verdict>();

/** The same of one shape, for who looks at a table before each. */
export function isAltered(found: FoundTable, definition: ShapeDefinition): boolean {
  const last = verdicts.get(found.columns);
  if (last !== undefined && areOneTable(last.found, found) && areAlikeInAll(last.definition, definition)) return last.isOver;
  const isOver = alteringOf(found)(definition);
  verdicts.set(found.columns, { found, definition, isOver });
  return isOver;
}

function areOneTable(left: FoundTable, right: FoundTable): boolean {
  return left.oid === right.oid && left.schema === right.schema && left.name === right.name && left.files === right.files;
}

function areAlikeInAll(left: ShapeDefinition, right: ShapeDefinition): boolean {
  return left.facts?.columns === right.facts?.columns && areAlike(left, right);
}

/** Shapes of one table differ in their filter for the most part, which is not looked at: a hundred thousand are told apart in no time. */
function judgedOnce(isOver: (definition: ShapeDefinition) => boolean): (definition: ShapeDefinition) => boolean {
  const judged = new Map<string, { readonly definition: ShapeDefinition; readonly isOver: boolean }>();
  return (definition) => {
    const text = definition.facts?.columns ?? '';
    const before = judged.get(text);
    if (before !== undefined && areAlike(before.definition, definition)) return before.isOver;
    const verdict = { definition, isOver: isOver(definition) };
    judged.set(text, verdict);
    return verdict.isOver;
  };
}

/** In all that an alteration can concern, but for the text by which they are found. */
function areAlike(left: ShapeDefinition, right: ShapeDefinition): boolean {
  const areSameTable = left.relation.oid === right.relation.oid && left.relation.name === right.relation.name
    && left.relation.schema === right.relation.schema;
  return areSameTable && left.facts?.files === right.facts?.files && left.selectsAll === right.selectsAll
    && areSameNames(left.columns, right.columns) && areSameNames(left.primaryKey, right.primaryKey)
    && areSameReads(left.reads, right.reads);
}

function areSameReads(left: ShapeDefinition['reads'], right: ShapeDefinition['reads']): boolean {
  if (left === right) return true;
  return left.length === right.length && left.every(({ name, typeOid, typeMod }, index) => {
    const other = right[index];
    return other?.name === name && other.typeOid === typeOid && other.typeMod === typeMod;
  });
}

function areSameNames(left: readonly string[], right: readonly string[]): boolean {
  return left === right || (left.length === right.length && left.every((name, index) => name === right[index]));
}

function keyOf(columns: readonly FoundColumn[]): string {
  const keyed = columns.flatMap(({ name, pkIndex }) => (pkIndex === null ? [] : [{ name, pkIndex }]));
  return keyed.sort((left, right) => left.pkIndex - right.pkIndex).map(({ name }) => name).join();
}

/**
 * `number.version`, `!` for one that may not be NULL, `~` and the collation, `=` and the default that is not written out yet, `:` and each
 * type that somebody made.
 */
function textOf({ number, version, notNull, collation, isMissing, defaultOid, types }: ColumnFacts, isFiltered: boolean): string {
  return [
    `${number}.${version}`, notNull ? '!' : '', isFiltered && collation !== 0 ? `~${collation}` : '',
    isMissing && defaultOid !== null ? `=${defaultOid}` : '', ...(types ?? []).map(([oid, parts]) => `:${typeText(oid, parts)}`),
  ].join('');
}

function typeText(oid: number, parts: readonly string[]): string {
  return `${oid}.${parts.length}.${fnvHash(JSON.stringify(parts))}`;
}

const TEXT = /^(?<number>\d+)\.(?<version>\d+)(?<notNull>!?)(?:~(?<collation>\d+))?(?:=(?<unwritten>\d+))?(?<types>.*)$/;

function isOther(text: string, now: ColumnFacts | undefined, isSelected: boolean, isRewritten: boolean): boolean {
  const { number, version, notNull, collation, unwritten, types = '' } = TEXT.exec(text)?.groups ?? {};
  if (now === undefined || Number(number) !== now.number) return true;
  const isWrittenOut = unwritten !== undefined && !now.isMissing && Number(unwritten) === now.defaultOid;
  if (isRewritten && Number(version) !== now.version && !isWrittenOut) return true;
  if (notNull === '!' && isSelected && !now.notNull) return true;
  if (collation !== undefined && Number(collation) !== now.collation) return true;
  return types.split(':').slice(1).some((type) => !isAmong(type, now.types ?? []));
}

/** The first of its parts are what they were. */
function isAmong(type: string, now: readonly MadeType[]): boolean {
  const [oid, count] = type.split('.').map(Number);
  const found = now.find(([each]) => each === oid);
  return found !== undefined && typeText(found[0], found[1].slice(0, count)) === type;
}
