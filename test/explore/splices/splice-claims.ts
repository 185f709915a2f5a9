/** SpliceClaims: the properties of shapes that depend on each other, in words, and how a state of them is looked through. */
import { PROPERTIES as COMMON } from '../../races/violations.ts';
import type { Violation, View } from '../checker/system.ts';
import type { SpliceModel } from './splice-model.ts';
import { keepersOf } from './splice-shapes.ts';

export const PROPERTIES = {
  ...COMMON,
  ends: 'nobody waits for one who has ended, and nobody hangs',
  folds: 'when all is quiet, the log folds to the rows that SELECT gives',
  strict: 'an insert is of an absent row, all else of a present one, after each entry',
  ordered: 'offsets only grow',
  same: 'what was read once stands at its offset for ever',
  durable: 'a splice is durable before a line of it can be read',
  promised: 'what an up-to-date says is there, is there',
  versions: 'a version is kept for as long as somebody looks at it',
  exactly: 'what ends takes along those who depend on it, and nobody else',
} as const;

export type Look = View<SpliceModel>;

export function rolesOf({ setting: { shapes } }: SpliceModel): readonly string[] {
  return ['collector', 'catchUp', ...[...shapes, ...keepersOf(shapes)].map(({ role }) => role)];
}

/** What is wrong with the first of them with which something is. */
export function firstOf<Each>(all: readonly Each[], look: (each: Each) => Violation | undefined): Violation | undefined {
  for (const each of all) {
    const found = look(each);
    if (found !== undefined) return found;
  }
  return undefined;
}
