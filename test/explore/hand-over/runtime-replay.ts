/**
 * RuntimeReplay: what the checker did, step by step, on the production runtime under a scheduler that takes the same choices.
 *
 * What the checker computes in the asking step, and what its stand-in for the supervisor does within one, are messages here:
 * they are delivered as soon as they are there. Everything else is delivered when the checker delivered it.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Name } from '../../../src/otp/process.ts';
import type { Candidate } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { HandOverWorld, NAMES, type Machines } from '../../support/hand-over/hand-over-world.ts';
import type { Wish } from '../../support/hand-over/model-database.ts';
import type { RowChange } from '../../support/actors/changes.ts';
import type { Note } from '../checker/draft.ts';
import { HANDLE } from './hand-over-model.ts';
import { ROW_BY_ROW, SCRIPT } from './hand-over-system.ts';
import { localStates, type LocalStates } from './local-states.ts';

/** By the last part of a process's path. */
const CHECKED: Readonly<Record<string, string>> = {
  [HANDLE]: 'snapshotter',
  'catch-up-collector': 'catchUp',
  'log-reader': '@log-reader',
  'shape-reader': '@shape-reader',
  checkpoints: '@checkpoints',
  publication: '@publication-manager',
  snapshots: '@snapshots',
  directory: '@shape-cache',
  consumers: '@consumers',
  stream: '@stream',
};
const AT_ONCE = ['@log-reader', '@shape-reader', '@checkpoints', '@publication-manager', '@stream', 'writer'];
/** The roles, by the names of their processes. */
const ROLES: Readonly<Record<string, Name>> = {
  collector: '@shape-log-collector',
  catchUp: '@catch-up-collector',
  consumer: NAMES.consumer,
  snapshotter: NAMES.snapshotter,
  materializer: NAMES.materializer,
};
/** Signals that arrive and vanish before the one that is looked for, at the most. */
const VOID_MAX = 10;

export class RuntimeReplay {
  private next = 0;
  private readonly world: HandOverWorld;

  constructor(machines?: Machines) {
    this.world = new HandOverWorld(() => this.next, machines, { blocks: ROW_BY_ROW, tailBytesMax: 0 });
  }

  async begin(transactions: number): Promise<void> {
    await this.world.begin();
    for (let index = 0; index < transactions; index += 1) this.world.runtime.send('@writer', { type: 'begin', index });
    await this.deliverAtOnce();
  }

  async take(notes: readonly Note[]): Promise<void> {
    for (const note of notes) await this.one(note);
    await this.deliverAtOnce();
  }

  states(): LocalStates {
    const { runtime, ends } = this.world;
    return localStates(ends.map(({ position }) => position), (role) => runtime.refOf(ROLES[role] ?? '@nobody')?.getSnapshot());
  }

  private async one({ from, to, what }: Note): Promise<void> {
    if (to === 'world') this.happen(what);
    else if (what === 'is killed') this.kill(to);
    else if (from !== undefined) await this.deliver(nameOf(from), to, what);
    else if (what.startsWith('(')) this.step((candidate) => isUrgent(candidate, to));
  }

  /** What has no effect is not in the checker's channels any more: it may stand before what is delivered. */
  private async deliver(from: string, to: string, what: string): Promise<void> {
    for (let taken = 0; taken < VOID_MAX; taken += 1) {
      const candidate = this.step((each) => isFrom(each, from, to));
      if (candidate === undefined || isMeant(candidate, what)) return;
      await this.deliverAtOnce();
    }
  }

  private happen(name: string): void {
    const { runtime } = this.world;
    const index = Number(name.split(' ')[1]) - 1;
    if (name.startsWith('commit')) runtime.send('@writer', { type: 'commit', index, wishes: (SCRIPT[index] ?? []).map(wishOf) });
    else if (name.startsWith('show')) runtime.send('@writer', { type: 'show', index });
    else if (name === 'the shape is made') {
      this.world.createShape();
      runtime.send(NAMES.consumers, { type: 'startChild', template: 'consumer', args: {} });
    } else runtime.send(NAMES.consumers, { type: 'startChild', template: 'materializer', args: {} });
  }

  private kill(role: string): void {
    this.world.runtime.exit(ROLES[role] ?? '@nobody', 'kill');
    this.step(({ to, what }) => nameOf(to) === role && what === 'exit');
  }

  private async deliverAtOnce(): Promise<void> {
    do await this.world.settle();
    while (this.step(isAtOnce) !== undefined);
  }

  /** Delivers the first candidate of this kind. @returns undefined when there is none. */
  private step(isWanted: (candidate: Candidate) => boolean): Candidate | undefined {
    const candidates = this.world.scheduler.candidates();
    this.next = candidates.findIndex(isWanted);
    if (this.next === -1) return undefined;
    invariant(this.world.runtime.step(), 'what can be delivered is delivered');
    return candidates[this.next];
  }
}

/** The stand-in for the supervisor starts what it is asked to start when the request reaches it. */
function isAtOnce({ from, to, what }: Candidate): boolean {
  const [sender, receiver] = [nameOf(from), nameOf(to)];
  if (AT_ONCE.includes(receiver)) return true;
  if (receiver === '@consumers') return sender !== 'consumer' || what !== 'startChild';
  return receiver === 'outside' && what !== 'down';
}

function isUrgent({ from, to, channel }: Candidate, role: string): boolean {
  return from === to && nameOf(to) === role && channel.startsWith('urgent');
}

function isFrom(candidate: Candidate, from: string, to: string): boolean {
  if (to === '@shape-cache' && from === 'consumer') return nameOf(candidate.to) === 'outside' && candidate.what === 'down';
  return nameOf(candidate.from) === from && nameOf(candidate.to) === to;
}

function isMeant({ what }: Candidate, told: string): boolean {
  return what === told || what === 'down';
}

function nameOf(pid: string): string {
  if (pid === '@supervisor') return '@consumers';
  // Who follows a Consumer that has ended was given its pid here, and its name there.
  if (pid === NAMES.consumer) return 'consumer';
  if (pid.startsWith('@')) return pid;
  const id = pid.slice(pid.lastIndexOf('/') + 1).replace(/#\d+$/, '');
  return CHECKED[id] ?? id;
}

function wishOf(change: RowChange): Wish {
  if ('new' in change) return { row: Number(change.new[0]), value: change.new[1] ?? null, remove: false };
  return { row: Number('old' in change ? change.old[0] : 0), value: null, remove: true };
}
