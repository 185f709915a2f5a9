/** A fault: what is done to a world in the midst of its writes, and which shapes may start over because of it. */
import type { Random } from '../../src/base/random.ts';
import { parametersOf, type OracleShape } from '../oracle/any-shape.ts';
import type { TableName } from '../oracle/schema.ts';
import type { TortureWorld } from './torture-world.ts';

/** Undoes what does not pass by itself; resolves when the world is whole again, as far as this fault goes. */
export type Heal = () => Promise<void>;

/** Where and how it befalls the world, drawn before. */
export interface Scene {
  readonly world: TortureWorld;
  readonly random: Random;
  /** The table that it befalls, if it befalls one. */
  readonly table: TableName;
}

export interface Fault {
  readonly name: string;
  /** Which shapes may be answered by 409 because of it. Where none may, each 409 is a finding. */
  readonly excuses: Excused;
  /** The service looks for it from time to time; until then shapes go on as if it had not been. */
  readonly isFoundOutLater?: boolean;
  /** The stream leaves changes out until then, so that what comes may not fit what was told. */
  readonly isMisleading?: boolean;
  /** What it takes that not every machine gives. */
  readonly takes?: 'a disk that can be filled';
  strike(scene: Scene): Promise<Heal | undefined>;
  /** Resolves when the service has put right by itself what it can, with everything healed. @throws {Finding} it does not. */
  untilPutRight?(scene: Scene): Promise<void>;
}

/** Those of the scene's table and the ones that select from it; of these, those that have all of its columns; or all. */
export type Excused = 'none' | 'table' | 'all columns of the table' | 'all';

export function isExcused(shape: OracleShape, excused: Excused, befallen: TableName): boolean {
  const { table, inner } = shape;
  if (excused === 'table') return table === befallen || inner.includes(befallen);
  if (excused === 'all columns of the table') return table === befallen && parametersOf(shape)['columns'] === undefined;
  return excused === 'all';
}

/** @returns one of them. */
export function oneOf<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[random.below(items.length)] ?? items[0];
}
