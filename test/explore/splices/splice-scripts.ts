/**
 * SpliceScripts: what lies in small tables, and what a writer does to them. Whether a child is in the outer shape follows from its
 * parent's value and from those that the inner shape has; and a toy is in the outermost one when its child is in that.
 */
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { Row } from '../../support/actors/changes.ts';
import { FIRST_XID } from '../hand-over/hand-over-model.ts';
import type { ScriptedChange, ScriptedTransaction } from '../hand-over/scripted-log.ts';
import type { FilterName } from './splice-filters.ts';

/** The places of the layouts. */
export const [PARENTS, CHILDREN, TOYS] = [0, 1, 2] as const;
/** Each child has one. */
const STORED_TOYS: readonly Row[] = [['1', '1'], ['2', '2'], ['3', '3']];
const LSN_STEP = 10;

export interface SpliceScript {
  /** Of the outer shape. */
  readonly filter: FilterName;
  /** Stored before, by table. */
  readonly rows: readonly (readonly Row[])[];
  /** In the order of their commits. */
  readonly transactions: readonly ScriptedTransaction[];
}

/** @param xids in the order of the commits; transactions begin in the order of their ids. */
function script(
  parents: readonly Row[],
  children: readonly Row[],
  written: readonly (readonly ScriptedChange[])[],
  { filter = 'in', xids = [...written.keys()] }: { readonly filter?: FilterName; readonly xids?: readonly number[] } = {},
): SpliceScript {
  const transactions = written.map((changes, index) => ({
    xid: (FIRST_XID + (xids[index] ?? index)) as Xid,
    lsn: String((index + 1) * LSN_STEP) as Lsn,
    changes,
  }));
  return { filter, rows: [parents, children, STORED_TOYS], transactions };
}

function inserted(table: number, ...row: Row): ScriptedChange {
  return { kind: 'insert', table, new: row };
}

function deleted(table: number, ...row: Row): ScriptedChange {
  return { kind: 'delete', table, old: row };
}

function updated(table: number, old: Row, current: Row): ScriptedChange {
  return { kind: 'update', table, old, new: current };
}

export const SCRIPTS = {
  /** A value comes, and then a child that has it: Postgres may show them in the other order. */
  comes: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a')], [inserted(CHILDREN, '3', 'a')]],
    { xids: [1, 0] },
  ),
  /** A child is written, and then a value comes: the query may see the second and not the first. */
  written: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[updated(CHILDREN, ['2', 'b'], ['2', 'a'])], [inserted(PARENTS, '1', 'a')]],
  ),
  /** A parent and its child in one transaction, and an older child of it that leaves. */
  both: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a'), inserted(CHILDREN, '3', 'a')], [updated(CHILDREN, ['1', 'a'], ['1', 'b'])]],
  ),
  /** A value goes, while a child of it changes over to the other one. */
  goes: script(
    [['1', 'a'], ['2', 'b']],
    [['1', 'a'], ['2', 'a']],
    [[deleted(PARENTS, '1', 'a')], [updated(CHILDREN, ['1', 'a'], ['1', 'b'])]],
  ),
  /** Each value takes the place of the other; a child goes along, in the same transaction. */
  changes: script(
    [['1', 'a']],
    [['1', 'a'], ['2', 'b']],
    [[updated(PARENTS, ['1', 'a'], ['1', 'b'])], [updated(CHILDREN, ['1', 'a'], ['1', 'b'])]],
  ),
  /** A value goes, and then a child that had it. */
  leaves: script(
    [['1', 'a'], ['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[deleted(PARENTS, '1', 'a')], [deleted(CHILDREN, '1', 'a')]],
  ),
  /** A value comes and goes again within one transaction: another row has it then. */
  toggles: script(
    [['1', 'a']],
    [['1', 'a']],
    [[deleted(PARENTS, '1', 'a'), inserted(PARENTS, '2', 'a')]],
  ),
  /** A value goes, and comes back. */
  returns: script(
    [['1', 'a']],
    [['1', 'a'], ['2', 'a']],
    [[deleted(PARENTS, '1', 'a')], [inserted(PARENTS, '3', 'a')]],
  ),
  /** NULL comes, and all rows leave: no pattern names them. A child comes meanwhile, and then it is not there either. */
  nullComes: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '3', null)], [inserted(CHILDREN, '3', 'a')]],
    { filter: 'notIn' },
  ),
  /** A child is written that nobody sees yet, and NULL goes: the rows come that no value takes. */
  nullGoes: script(
    [['2', 'b'], ['3', null]],
    [['1', 'a'], ['2', 'b']],
    [[updated(CHILDREN, ['2', 'b'], ['2', 'a'])], [deleted(PARENTS, '3', null)]],
    { filter: 'notIn' },
  ),
  /** NULL takes the place of a value, and is gone again. */
  nullPasses: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[updated(PARENTS, ['2', 'b'], ['2', null])], [deleted(PARENTS, '2', null)]],
    { filter: 'notIn' },
  ),
  /** The last value goes, and the first comes: only where there is none is a row without a parent in the shape. */
  empties: script(
    [['1', 'a']],
    [['1', null], ['2', 'a']],
    [[deleted(PARENTS, '1', 'a')], [inserted(PARENTS, '2', 'b')]],
    { filter: 'notIn' },
  ),
  /** A value comes, and goes again: of its child one half of the filter becomes true when the other becomes false. */
  stays: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a')], [deleted(PARENTS, '1', 'a')]],
    { filter: 'known' },
  ),
  /** What moves at three depths in one transaction: a value comes, a child leaves, and a toy is made. Then the value goes. */
  deep: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a'), updated(CHILDREN, ['2', 'b'], ['2', 'c']), inserted(TOYS, '4', '1')], [deleted(PARENTS, '1', 'a')]],
  ),
  /** A value gives way to another in the transaction in which its child goes over to that; then the child's toy gets another child. */
  crosses: script(
    [['1', 'a']],
    [['1', 'a'], ['2', 'b']],
    [
      [updated(PARENTS, ['1', 'a'], ['1', 'b']), updated(CHILDREN, ['1', 'a'], ['1', 'b'])],
      [updated(TOYS, ['1', '1'], ['1', '3'])],
    ],
  ),
  /** A value comes that no child has: told as deletes, that is a splice without a line. Then a child leaves. */
  lacks: script(
    [['2', 'b']],
    [['2', 'b']],
    [[inserted(PARENTS, '1', 'a')], [updated(CHILDREN, ['2', 'b'], ['2', 'c'])]],
  ),
  /** A value comes to two layers, a toy changes hands, and then one is made for the child that came. */
  follows: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a')], [updated(TOYS, ['2', '2'], ['2', '3'])], [inserted(TOYS, '4', '1')]],
  ),
  /** A value comes, and then a toy to a child of another. */
  gives: script(
    [['2', 'b']],
    [['1', 'a'], ['2', 'b']],
    [[inserted(PARENTS, '1', 'a')], [inserted(TOYS, '4', '2')]],
  ),
} as const satisfies Readonly<Record<string, SpliceScript>>;

export type ScriptName = keyof typeof SCRIPTS;
