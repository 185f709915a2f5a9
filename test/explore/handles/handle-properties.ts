/** The properties of the life of a handle, at each state and where nothing is left to do. */
import type { Handle } from '../../../src/model/shape.ts';
import { PROPERTIES as COMMON } from '../../races/violations.ts';
import type { Violation, View } from '../checker/system.ts';
import type { HandleModel } from './handle-model.ts';
import { roleOf } from './handle-ports.ts';
import type { ShapeName } from './handle-setting.ts';
import { answerOf } from './request-answer.ts';

export const PROPERTIES = {
  crashes: COMMON.crashes,
  drained: COMMON.drained,
  ends: 'every request is answered, and nobody waits for one who has ended',
  served: 'as long as nothing happens, every request gets its log',
  single: 'a definition has one handle that serves it, and a handle one definition',
  condemned: 'nobody is led to a handle that was condemned before he asked',
  exactly: 'what ends takes along those who depend on it, once, and nobody else',
  nothingLeft: 'of what is gone nothing is left',
} as const;

type Look = View<HandleModel>;
type Found = Violation | undefined;

/** @param roles of the system. */
export function violationOf(view: Look, isQuiet: boolean, roles: readonly string[]): Found {
  const atRest = isAtRest(view, isQuiet, roles) ? restless(view, roles) : undefined;
  return crashed(view, roles) ?? ofServing(view.world) ?? ofAnswers(view) ?? unjustified(view) ?? atRest;
}

function wrong(property: keyof typeof PROPERTIES, what: string): Violation {
  return { property: PROPERTIES[property], what };
}

/** Nothing is under way, and nobody has yet to be woken. */
function isAtRest(view: Look, isQuiet: boolean, roles: readonly string[]): boolean {
  if (!isQuiet || view.world.is.woken.length > 0) return false;
  return roles.every((role) => {
    const local = view.process(role);
    return local.status !== 'alive' || Object.keys(local.timers).every((name) => name === 'check' || name === 'idle' || name === 'return');
  });
}

function restless(view: Look, roles: readonly string[]): Found {
  return hanging(view, roles) ?? unserved(view) ?? idleMaterializer(view) ?? leftOver(view) ?? leftInPublication(view);
}

function crashed(view: Look, roles: readonly string[]): Found {
  for (const role of roles) {
    const local = view.process(role);
    if (local.status !== 'dead' || typeof local.reason !== 'object' || !('error' in local.reason)) continue;
    return wrong('crashes', `${local.pid}: ${local.reason.error.message}`);
  }
  return undefined;
}

// --- what serves

function ofServing(world: HandleModel): Found {
  const { directory, is, shapes, setting } = world;
  const handles = is.made.map(({ handle }) => handle);
  const again = handles.find((handle, index) => handles.indexOf(handle) !== index);
  if (again !== undefined) return wrong('single', `${again} was given out twice`);
  if (directory === undefined) return undefined;
  const serving = Array.from(shapes.all()).filter(({ handle }) => directory.definitionOf(handle) !== undefined);
  for (const name of ['inner', 'outer'] as const) {
    const own = serving.filter(({ definition }) => world.nameOf(definition) === name).map(({ handle }) => handle);
    if (own.length > 1) return wrong('single', `the ${name} shape is served by ${own.join(' and ')}`);
    const found = directory.find(setting.definitions[name]);
    if (found !== undefined && found !== own[0]) return wrong('single', `the ${name} shape is found as ${found}, and served by none`);
  }
  const back = is.retired.find(({ handle }) => directory.definitionOf(handle) !== undefined);
  if (back !== undefined) return wrong('condemned', `${back.handle} serves again`);
  const widow = serving.find(({ dependsOn }) => dependsOn.some((inner) => is.retired.some(({ handle }) => handle === inner)));
  return widow && wrong('exactly', `${widow.handle} serves, and depends on what does not`);
}

function ofAnswers(view: Look): Found {
  for (const [role, { name }] of Object.entries(view.world.is.asked)) {
    const answer = answerOf(view.process(role));
    if (answer !== undefined && answer.status !== 200 && !view.hasStruck && view.happened.length === 0) {
      return wrong('served', `${role} is told ${answer.status}`);
    }
    if (answer?.handle === undefined) continue;
    if (answer.wasGone === true) return wrong('condemned', `${role} is led to ${answer.handle}, which had gone when it came`);
    const made = madeFor(view.world, answer.handle);
    if (made !== name) return wrong('single', `${role} asked for the ${name} shape, and is led to the ${made} one`);
  }
  return undefined;
}

function madeFor({ is }: HandleModel, handle: Handle): ShapeName | undefined {
  return is.made.find((made) => made.handle === handle)?.name;
}

// --- what ends

/** Whatever serves no more was struck itself, or depends on one that was; and readers hear of it once. */
function unjustified(view: Look): Found {
  const { retired, drained } = view.world.is;
  for (const [index, { handle }] of retired.entries()) {
    if (retired.findIndex((each) => each.handle === handle) !== index) return wrong('exactly', `${handle} was condemned twice`);
    if (isJustified(view, handle)) continue;
    return wrong(drained.length > 0 ? 'drained' : 'exactly', `${handle} is gone, and nothing has ended it`);
  }
  return undefined;
}

function isJustified(view: Look, handle: Handle): boolean {
  const { is } = view.world;
  const own = is.retired.find((each) => each.handle === handle);
  const inner = innerOf(view, handle);
  if (isStruck(view, handle) || own?.isForsaken === true) return true;
  // Of a drained shape only what was whole can be gone on with.
  if (own?.isWhole === false && [handle, ...inner].some((each) => is.drained.includes(each))) return true;
  return inner.some((each) => isStruck(view, each) || wasKilled(view, roleOf('materializer', each)));
}

function isStruck(view: Look, handle: Handle): boolean {
  const isKilled = (['consumer', 'snapshotter'] as const).some((kind) => wasKilled(view, roleOf(kind, handle)));
  return isKilled || view.world.is.struck.includes(handle) || hasLostTable(view, handle);
}

function hasLostTable({ world, happened }: Look, handle: Handle): boolean {
  return happened.includes(`loss: the table of the ${madeFor(world, handle)} shape is taken out`);
}

function wasKilled(view: Look, role: string): boolean {
  const local = view.process(role);
  return view.world.is.killed.includes(role) || (local.status === 'dead' && local.reason === 'killed');
}

function innerOf({ world }: Look, handle: Handle): readonly Handle[] {
  return world.is.made.find((made) => made.handle === handle)?.dependsOn ?? [];
}

// --- at rest

/** Where a process of each kind may stay. A request waits for a change. */
const AT_REST: Readonly<Record<string, string>> = {
  cache: '"serving"',
  publication: '"idle"',
  collector: '"idle"',
  consumer: '{"running":{"snapshot":"complete","ingest":"live"}}',
  materializer: '{"live":"waiting"}',
  reader: '"waiting"',
};

function hanging(view: Look, roles: readonly string[]): Found {
  for (const role of roles) {
    const local = view.process(role);
    if (local.status !== 'alive' || JSON.stringify(local.snapshot.value) === AT_REST[role.split('-')[0] ?? '']) continue;
    return wrong('ends', `${local.pid} hangs in ${JSON.stringify(local.snapshot.value)}`);
  }
  const { directory, is } = view.world;
  const deaf = is.parked.find(({ handle }) => directory?.definitionOf(handle) === undefined);
  return deaf && wrong('ends', `${deaf.reader} waits for a change of ${deaf.handle}, which is over`);
}

/** A stored shape serves, and has its Consumer. */
function unserved(view: Look): Found {
  const { directory, shapes, is } = view.world;
  const isAlive = (handle: Handle): boolean => view.process(roleOf('consumer', handle)).status === 'alive';
  for (const { handle } of shapes.all()) {
    if (directory?.definitionOf(handle) === undefined) return wrong('nothingLeft', `${handle} is stored, and serves nobody`);
    const isDormant = directory.isDormant(handle);
    if (isAlive(handle) === isDormant) return wrong('ends', `${handle} serves, and has ${isDormant ? 'a' : 'no'} Consumer`);
    if (isDormant && shapes.get(handle)?.restsAt === undefined) return wrong('ends', `${handle} sleeps, and is behind`);
  }
  const orphan = is.made.find(({ handle }) => shapes.get(handle) === undefined && isAlive(handle));
  return orphan && wrong('nothingLeft', `the Consumer of ${orphan.handle} has outlived it`);
}

function idleMaterializer(view: Look): Found {
  const { made } = view.world.is;
  const followed = made.flatMap(({ handle }) => {
    const local = view.process(roleOf('consumer', handle));
    if (local.status !== 'alive') return [];
    const { materializers }: { readonly materializers: readonly string[] } = local.snapshot.context;
    return materializers;
  });
  for (const { handle } of made) {
    const local = view.process(roleOf('materializer', handle));
    if (local.status === 'alive' && !followed.includes(local.pid)) return wrong('ends', `${local.pid} outlives those who depend on it`);
  }
  return undefined;
}

/** Tables that name handles. */
const TABLES = [['publication', 'relations'], ['collector', 'router']] as const;

function leftOver(view: Look): Found {
  const { is } = view.world;
  for (const { handle } of is.retired) {
    if (Object.keys(is.children).some((id) => id.includes(handle))) return wrong('nothingLeft', `a process of ${handle} is left`);
    for (const [role, table] of TABLES) {
      const local = view.process(role);
      if (local.status === 'alive' && local.tables[table]?.key().includes(handle) === true) {
        return wrong('nothingLeft', `the table ${table} still knows ${handle}`);
      }
    }
  }
  return undefined;
}

/** A table is published as long as a shape stands on it; but for one that was added when the power went, of which nobody knows. */
function leftInPublication({ world, happened }: Look): Found {
  const needed = new Set(Array.from(world.shapes.all(), ({ definition }) => definition.relation.name));
  const left = world.publication.published.find((name) => !needed.has(name));
  const was = (fate: string): boolean => happened.some((name) => name.startsWith(fate));
  if (left !== undefined && !was('crash')) return wrong('nothingLeft', `the table ${left} is published for nobody`);
  const missing = [...needed].find((name) => !world.publication.published.includes(name));
  return missing === undefined || was('loss') ? undefined : wrong('exactly', `a shape follows the table ${missing}: it is not published`);
}
