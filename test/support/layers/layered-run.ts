/**
 * LayeredRun: one life of a world with two layers of shapes, from a script. The script says what happens from outside and when, and its
 * choices say which signal is delivered next: the same script gives the same run.
 */
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import { SILENCE_MS } from '../../../src/actors/collector/delivery-chart.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { Address, ExitReason, Name } from '../../../src/otp/process.ts';
import type { Fault, Script, Victim } from './layered-scripts.ts';
import { SHAPES } from './layered-shapes.ts';
import { LayeredWorld, type LayeredOptions } from './layered-world.ts';

export interface Outcome {
  readonly world: LayeredWorld;
  readonly asked: readonly ShapeDefinition[];
  readonly ending: Script['ending'];
  /** False when the world did not come to rest. */
  readonly isQuiet: boolean;
  /** Shapes that somebody ended by force or by a wish, or who lost what their values come from by force. */
  readonly struck: ReadonlySet<Handle>;
  /** Somebody ended by force who takes others along. */
  readonly hasStruckAll: boolean;
  /** All that serves shapes was made anew. */
  readonly hasRestartedAll: boolean;
}

export interface RunOptions extends LayeredOptions {
  /** Looks at the world before each delivery. */
  readonly onStep?: (world: LayeredWorld) => void;
  readonly isAtRest: (world: LayeredWorld) => boolean;
}

const STEPS_MAX = 20_000;
/** At rest time passes: who asks again after a while, does so. */
const PAUSES_MAX = 60;
const PAUSE_MS = 1_000;

interface Happening {
  readonly atStep: number;
  readonly happen: () => void;
}

/** @returns the world when nothing is left to happen. */
export async function run(script: Script, options: RunOptions): Promise<Outcome> {
  let next = 0;
  const world = new LayeredWorld((candidates) => (script.choices[next++] ?? 0) % candidates.length, options);
  const strikes = new Strikes(world, script);
  await world.begin();
  const happenings = happeningsOf(script, world, strikes);
  let pauses = 0;
  let isQuiet = false;
  for (let step = 0; step < STEPS_MAX && !isQuiet; step += 1) {
    while ((happenings[0]?.atStep ?? Number.POSITIVE_INFINITY) <= step) happenings.shift()?.happen();
    await world.settle();
    await world.look();
    options.onStep?.(world);
    if (world.runtime.step()) continue;
    const early = happenings.shift();
    if (early !== undefined) early.happen();
    else if (options.isAtRest(world)) isQuiet = true;
    else if (pauses++ < PAUSES_MAX) world.clock.advance(PAUSE_MS);
    else break;
  }
  const asked = askedOf(script);
  for (const [handle, ledger] of world.ledgers) {
    const log = world.storage.shapes.get(handle);
    if (log !== undefined) await ledger.compare(log);
  }
  const { struck, hasStruckAll, hasRestartedAll } = strikes;
  return { world, asked, ending: script.ending, isQuiet, struck, hasStruckAll, hasRestartedAll };
}

function askedOf({ asks }: Script): readonly ShapeDefinition[] {
  return [...new Set(asks.map(({ shape }) => shape))].flatMap((shape) => SHAPES[shape] ?? []);
}

function happeningsOf(script: Script, world: LayeredWorld, strikes: Strikes): Happening[] {
  const { asks, deletions, transactions, faults, silences } = script;
  const { runtime } = world;
  const happenings = [
    ...wishes(asks, (definition) => world.ask(definition)),
    ...wishes(deletions, (definition) => strikes.delete(definition)),
    ...transactions.flatMap(({ atStep, lasts, hides, wishes }, index) => [
      { atStep, happen: () => runtime.send('@writer', { type: 'begin', index }) },
      { atStep: atStep + lasts, happen: () => runtime.send('@writer', { type: 'commit', index, wishes }) },
      { atStep: atStep + lasts + hides, happen: () => runtime.send('@writer', { type: 'show', index }) },
    ]),
    ...silences.flatMap(({ atStep, victim, lasts, more }) => {
      let silent: Address | undefined;
      return [
        { atStep, happen: () => (silent = strikes.suspend(victim)) },
        { atStep: atStep + lasts, happen: () => world.clock.advance(SILENCE_MS) },
        { atStep: atStep + lasts + more, happen: () => silent !== undefined && runtime.resume(silent) },
      ];
    }),
    ...faults.map(({ atStep, victim, how }) => ({ atStep, happen: () => strikes.strike(victim, how) })),
  ].sort((left, right) => left.atStep - right.atStep);
  const atEnd = askedOf(script).map((definition) => ({ atStep: Number.POSITIVE_INFINITY, happen: () => end(script, strikes, definition) }));
  return [...happenings, ...atEnd];
}

function wishes(made: Script['asks'], fulfil: (definition: ShapeDefinition) => void): Happening[] {
  return made.flatMap(({ atStep, shape }) => {
    const definition = SHAPES[shape];
    return definition === undefined ? [] : [{ atStep, happen: () => fulfil(definition) }];
  });
}

/** One that was refused, since the shape was just going, is repeated: so at rest all are there. */
function end({ ending }: Script, strikes: Strikes, definition: ShapeDefinition): void {
  if (ending === 'asking') strikes.world.ask(definition);
  else if (definition.dependencies !== undefined) strikes.delete(definition);
}

const EXITS: Readonly<Record<Exclude<Fault, 'crash' | 'drain'>, ExitReason | 'kill'>> = {
  kill: 'kill',
  shutdown: 'shutdown',
  delete: { shutdown: { delete: 'test' } },
};
/** What serves shapes is made anew with them; and whoever ends them by force may end what hangs on them by force. */
const MANY: readonly Victim[] = ['@consumers', '@shape-cache', '@shape-log-collector', '@catch-up-collector'];

/** What is done to processes, and to which shapes that may be the end. */
class Strikes {
  readonly struck = new Set<Handle>();
  hasStruckAll = false;
  hasRestartedAll = false;
  private readonly asked: readonly ShapeDefinition[];

  constructor(
    readonly world: LayeredWorld,
    script: Script,
  ) {
    this.asked = askedOf(script);
  }

  strike(victim: Victim, how: Fault): void {
    const address = this.addressOf(victim);
    if (address === undefined) return;
    this.noteStruck(victim, how);
    const { runtime } = this.world;
    if (how === 'crash') runtime.send(address, { type: 'poison' });
    else if (how !== 'drain') runtime.exit(address, EXITS[how]);
    else if (victim === 'inner' || victim === 'outer' || victim === 'otherOuter') runtime.send(address, { type: 'stop', cause: 'drain' });
  }

  /** A client has it deleted. */
  delete(definition: ShapeDefinition): void {
    const handle = this.world.handleOf(definition);
    if (handle !== undefined) this.noteEnd(handle);
    this.world.delete(definition);
  }

  suspend(victim: Victim): Address | undefined {
    const address = this.addressOf(victim);
    const pid = address?.startsWith('@') === true ? this.world.runtime.processInfo(address)?.pid : address;
    if (pid !== undefined) this.world.runtime.suspend(pid);
    return pid;
  }

  private noteStruck(victim: Victim, how: Fault): void {
    if (MANY.includes(victim)) this.hasRestartedAll = true;
    if (how === 'drain' || how === 'shutdown') return;
    if (MANY.includes(victim)) this.hasStruckAll = true;
    const handle = this.handleOf(victim);
    if (handle === undefined) return;
    if (victim === 'materializer') this.noteDependants(handle);
    else this.noteEnd(handle);
  }

  private noteEnd(handle: Handle): void {
    this.struck.add(handle);
    this.noteDependants(handle);
  }

  private noteDependants(handle: Handle): void {
    for (const log of this.world.storage.shapes.all()) if (log.dependsOn.includes(handle)) this.struck.add(log.handle);
  }

  private addressOf(victim: Victim): Address | undefined {
    if (victim.startsWith('@')) return victim as Name;
    const handle = this.handleOf(victim);
    if (handle === undefined) return undefined;
    return victim === 'materializer' ? materializerOf(handle, 'id') : consumerOf(handle);
  }

  private handleOf(victim: Victim): Handle | undefined {
    const [first, second] = this.asked.filter(({ dependencies }) => dependencies !== undefined);
    const inner = first?.dependencies?.[0]?.shape ?? this.asked[0];
    const definition = victim === 'outer' ? first : victim === 'otherOuter' ? second : inner;
    return victim.startsWith('@') || definition === undefined ? undefined : this.world.handleOf(definition);
  }
}
