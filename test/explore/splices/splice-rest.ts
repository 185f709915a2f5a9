/** SpliceRest: what must hold of shapes that depend on each other where nothing is left to do. */
import { downCause } from '../../../src/actors/down-cause.ts';
import type { LinkValues } from '../../../src/actors/link-values.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../../../src/sql/subqueries/membership.ts';
import { membersOfRows } from '../../support/shapes/subquery-filter.ts';
import type { Violation } from '../checker/system.ts';
import { firstOf, PROPERTIES, rolesOf, type Look } from './splice-claims.ts';
import { dependentsIn, otherRows } from './splice-folding.ts';
import type { SpliceModel } from './splice-model.ts';
import { selectedValues, shapeIn } from './splice-setting.ts';
import { keepersOf } from './splice-shapes.ts';

/** Nothing is under way, and nothing that has committed is yet to come; a time-out that is awaited is none of ours. */
export function isAtRest(view: Look, isQuiet: boolean): boolean {
  if (!isQuiet || !view.world.isSettled || isAt(view, 'collector', 'restoring')) return false;
  return rolesOf(view.world).every((role) => {
    const local = view.process(role);
    return local.status !== 'alive' || Object.keys(local.timers).every((name) => name === 'return');
  });
}

function isAt(view: Look, role: string, state: string): boolean {
  const local = view.process(role);
  return local.status === 'alive' && local.snapshot.value === state;
}

export function restless(view: Look): Violation | undefined {
  return hanging(view) ?? outliving(view) ?? unequal(view) ?? held(view.world) ?? endedAlone(view);
}

function hanging(view: Look): Violation | undefined {
  const { world } = view;
  return firstOf(rolesOf(world), (role) => {
    const local = view.process(role);
    if (local.status !== 'alive' || restOf(world, role) === JSON.stringify(local.snapshot.value)) return undefined;
    return { property: PROPERTIES.ends, what: `${local.pid} hangs in ${JSON.stringify(local.snapshot.value)}` };
  });
}

/** The state in which one of the role has nothing to do. */
function restOf({ setting: { shapes } }: SpliceModel, role: string): string {
  if (shapes.some((shape) => shape.role === role)) return '{"running":{"snapshot":"complete","ingest":"live"}}';
  return keepersOf(shapes).some((keeper) => keeper.role === role) ? '{"live":"waiting"}' : '"idle"';
}

function outliving(view: Look): Violation | undefined {
  const { setting } = view.world;
  const lives = (role: string): boolean => view.process(role).status === 'alive';
  return firstOf(keepersOf(setting.shapes), (keeper) => {
    const dependents = setting.shapes.filter((shape) => shape.keeper === keeper && lives(shape.role));
    if (lives(keeper.role) && dependents.length === 0) {
      return { property: PROPERTIES.ends, what: 'the Materializer outlives those who depend on it' };
    }
    if (dependents.length > 0 && !(lives(keeper.role) && lives(shapeIn(setting, keeper.follows).role))) {
      return { property: PROPERTIES.ends, what: 'a shape outlives those on which it depends' };
    }
    return undefined;
  });
}

/** Who lives has what the tables have. */
function unequal(view: Look): Violation | undefined {
  const { world } = view;
  const found = firstOf([...world.values], ([pid, table]) => otherValues(world, pid, table));
  return found ?? firstOf(dependentsIn(world), ({ role, handle }) => {
    const what = view.process(role).status === 'alive' ? otherRows(world, handle) : undefined;
    return what === undefined ? undefined : { property: PROPERTIES.folds, what };
  });
}

function otherValues(world: SpliceModel, pid: Pid, table: LinkValues): Violation | undefined {
  const rows = selectedValues(world.setting, world.planOf(pid), (each) => world.rows(each));
  const values = [...new Set(membersOfRows(rows))].sort().join();
  const marks = [ANY_MEMBER, NULL_MEMBER].filter((mark) => table.has(mark, table.offset));
  const kept = [...marks, ...table.textsAt(table.offset)].sort().join();
  return kept === values ? undefined : { property: PROPERTIES.once, what: `values ${kept} instead of ${values}` };
}

function held({ loaded, movedRows, deliveries }: SpliceModel): Violation | undefined {
  const owners = [...loaded.keys(), ...movedRows.keys(), ...deliveries.keys()];
  return owners.length === 0 ? undefined : { property: PROPERTIES.held, what: `something is held for ${owners.join()}` };
}

/** A shape goes only with its own Consumer, with the values that it looks up, or with its inner one; and with that always. */
function endedAlone(view: Look): Violation | undefined {
  const { world } = view;
  const isGone = (handle: Handle): boolean => world.shape(handle) === undefined;
  return firstOf(world.setting.shapes, ({ role, handle, keeper, dependsOn }) => {
    const mustBeGone = dependsOn.some(isGone);
    if (mustBeGone && !isGone(handle)) return { property: PROPERTIES.exactly, what: 'a shape is kept whose inner one is gone' };
    const mayBeGone = mustBeGone || wasStruck(view, role) || (keeper !== undefined && wasStruck(view, keeper.role));
    return isGone(handle) && !mayBeGone ? { property: PROPERTIES.drained, what: 'a shape is gone though nobody ended it' } : undefined;
  });
}

/** It was killed, and nobody has taken its place. */
function wasStruck(view: Look, role: string): boolean {
  const local = view.process(role);
  return local.status === 'dead' && downCause(local.reason).type === 'crash';
}
