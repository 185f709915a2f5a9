/**
 * Shape: what a client asks for, one table with a filter, a choice of columns and a replica mode.
 *
 * A definition is plain JSON: it goes through mailboxes, into the log and onto the disk. Two requests mean the same
 * shape exactly when their definitions have the same `definitionKey`.
 */
import { fnvHash } from '../base/fnv-hash.ts';
import type { Collation } from './collation.ts';
import { PartTexts } from './part-texts.ts';
import type { LayoutColumn } from './relation.ts';
import type { TimeZone } from './time-zone.ts';

export type Handle = string & { readonly __brand: 'Handle' };

export type ReplicaMode = 'default' | 'full';

export interface ShapeDefinition {
  /** The root table as it was when the shape was asked for. */
  readonly relation: { readonly oid: number; readonly schema: string; readonly name: string };
  /** Names of the selected columns, in table order. */
  readonly columns: readonly string[];
  /** True when no columns were named: then a new column of the table ends the shape. */
  readonly selectsAll: boolean;
  /** Names of the primary key's columns in key order; empty for a table without one. */
  readonly primaryKey: readonly string[];
  /**
   * What the shape depends on, in table order, typed as when it was asked for: the selected columns, the key (every
   * column, for a table without a primary key) and those the filter reads. If one vanishes or is retyped, the shape ends.
   */
  readonly reads: readonly LayoutColumn[];
  /** What else must stay as it was; no part of what the shape is. Left out of one that an older version made. */
  readonly facts?: ShapeFacts;
  /** The filter in its canonical form, with its parameters as written; undefined for every row. */
  readonly where?: WhereSource;
  readonly replica: ReplicaMode;
  /** `changes_only` begins with an empty snapshot. */
  readonly log: 'full' | 'changes_only';
  /** What the filter's subqueries select, by the number that they have in the filter. Left out where there are none. */
  readonly dependencies?: readonly Dependency[];
  /** `deletes`: a row that leaves with a value is told as a delete, not by an event that names tags. Left out for events. */
  readonly moveOuts?: 'deletes';
}

/** As the catalogue had them when the shape was asked for. */
export interface ShapeFacts {
  /** Which files the table lay in, or its oldest partition. */
  readonly files: string;
  /** Of each of `reads`, in their order, what `alteringOf` compares. */
  readonly columns: string;
  /** Of those of which their oid does not say it: the name of the type, of the elements of an array, and how many dimensions it has. */
  readonly types?: Readonly<Record<string, readonly [name: string, dimensions: number]>>;
}

/** The values of a column of an inner shape. */
export interface Dependency {
  readonly shape: ShapeDefinition;
  /** Or of several, as `followedWord` has them. */
  readonly column: string;
}

export interface WhereSource {
  /** What the client wrote. */
  readonly text: string;
  /** `$1` is the first. */
  readonly params: readonly string[];
  /** The parsed expression printed without regard to white space or case: equal for equal filters. */
  readonly canonical: string;
  /** Of the columns of text that it reads, by their names, as they were when it was asked for. */
  readonly collations?: Readonly<Record<string, Collation>>;
  /** The database's, likewise. Left out where it was not known. */
  readonly collation?: Collation;
  /** Of Postgres, likewise: where it is one that newer ones differ from. */
  readonly version?: number;
  /** The time zones that it names, likewise. Left out where there are none. */
  readonly zones?: Readonly<Record<string, TimeZone>>;
}

/** Equal for equal shapes, whatever the order of columns or the spelling of the filter. */
export function definitionKey(definition: ShapeDefinition): string {
  return tableKey(definition) + ownKey(definition);
}

/** Of its key, which is not made for that: of what definitions on a table have in common the hash is known. */
export function definitionHash(definition: ShapeDefinition): number {
  return fnvHash(ownKey(definition), tableHashes.of(definition));
}

function tableKey({ relation, columns, selectsAll, primaryKey, reads }: TableParts): string {
  return `[${relationTexts.of(relation)},${sortedTexts.of(columns)},${selectsAll},${listTexts.of(primaryKey)},${readTexts.of(reads)}`;
}

function ownKey(definition: ShapeDefinition): string {
  const { where, replica, log, dependencies = [], moveOuts = 'events' } = definition;
  const inner = dependencies.map(({ shape, column }) => `[${definitionKey(shape)},${inWords(column)}]`);
  return `,${inWords(where?.canonical ?? null)},"${replica}","${log}",[${inner.join()}],"${moveOuts}"]`;
}

type TableParts = Pick<ShapeDefinition, 'relation' | 'columns' | 'selectsAll' | 'primaryKey' | 'reads'>;

/** Found by one of the parts: of most that have this one the others are the same. */
class TableHashes {
  private readonly known = new WeakMap<TableParts['reads'], { readonly parts: TableParts; readonly hash: number }>();

  of({ relation, columns, selectsAll, primaryKey, reads }: TableParts): number {
    const known = this.known.get(reads);
    const { parts } = known ?? {};
    const isSame = parts?.relation === relation && parts.columns === columns && parts.selectsAll === selectsAll
      && parts.primaryKey === primaryKey;
    if (known !== undefined && isSame) return known.hash;
    const found = { relation, columns, selectsAll, primaryKey, reads };
    const hash = fnvHash(tableKey(found));
    this.known.set(reads, { parts: found, hash });
    return hash;
  }
}

const inWords = (value: unknown): string => JSON.stringify(value);

const listTexts = new PartTexts<readonly string[]>(inWords);
const sortedTexts = new PartTexts<readonly string[]>((columns) => inWords([...columns].sort()));
const readTexts = new PartTexts<readonly LayoutColumn[]>(inWords);
const relationTexts = new PartTexts<ShapeDefinition['relation']>(({ oid, schema, name }) => [oid, inWords(schema), inWords(name)].join());
const tableHashes = new TableHashes();

/** When the handle was made, on the clock's scale. */
export function bornMicros(handle: Handle): number {
  return Number(handle.slice(handle.indexOf('-') + 1));
}

/** A handle for a new log of this definition: never given out before, as long as `epochMicros` only grows. */
export function newHandle(definition: ShapeDefinition, epochMicros: number): Handle {
  return `${definitionHash(definition) >>> 5}-${epochMicros}` as Handle;
}
