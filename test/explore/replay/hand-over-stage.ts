/**
 * HandOverStage: a hand-over on stage, over the real thing. The log, the shapes' logs and their readers are those of the service, in
 * memory, and the supervisor is a supervisor: nothing here is the search's own.
 */
import type { Name } from '../../../src/otp/process.ts';
import type { ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { RowChange } from '../../support/actors/changes.ts';
import { HandOverWorld, NAMES } from '../../support/hand-over/hand-over-world.ts';
import type { Wish } from '../../support/hand-over/model-database.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import { HANDLE } from '../hand-over/hand-over-model.ts';
import { ROW_BY_ROW, SCRIPT } from '../hand-over/hand-over-system.ts';
import { localStates, type LocalStates } from '../hand-over/local-states.ts';
import { isVoid, type Offer } from './offer.ts';
import { Stage } from './stage.ts';

/** By the last part of a process's path; a role has one incarnation here. */
const CHECKED: Readonly<Record<string, string>> = {
  collector: 'collector#1',
  consumer: 'consumer#1',
  materializer: 'materializer#1',
  snapshotter: 'snapshotter#1',
  [HANDLE]: 'snapshotter#1',
  catchUp: 'catchUp#1',
  'catch-up-collector': 'catchUp#1',
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

export class HandOverStage extends Stage {
  private readonly real = new HandOverWorld(() => this.next, undefined, { blocks: ROW_BY_ROW, tailBytesMax: 0 });

  static async open(transactions: number): Promise<HandOverStage> {
    const stage = new HandOverStage();
    await stage.real.begin();
    for (let index = 0; index < transactions; index += 1) stage.real.runtime.send('@writer', { type: 'begin', index });
    await stage.catchUp();
    return stage;
  }

  states(): LocalStates {
    const { runtime, ends } = this.real;
    return localStates(ends.map(({ position }) => position), (role) => runtime.refOf(ROLES[role] ?? '@nobody')?.getSnapshot());
  }

  protected get clock(): ManualClock {
    return this.real.clock;
  }

  protected get scheduler(): ChoosingScheduler {
    return this.real.scheduler;
  }

  /** Who follows a Consumer that has ended was given its pid here, and its name there. */
  protected nameOf(address: string): string {
    if (address === NAMES.consumer) return 'consumer#1';
    if (address === '@supervisor') return '@consumers';
    if (address.startsWith('@')) return address;
    const id = address.slice(address.lastIndexOf('/') + 1).replace(/#\d+$/, '');
    return CHECKED[id] ?? id;
  }

  /** The directory hears of the Consumer's end by a promise. */
  protected override offers(): readonly Offer[] {
    return super.offers().map((offer) => {
      const isEnd = offer.to === 'outside' && offer.from === 'consumer#1' && offer.word === 'outside.down';
      return isEnd ? { ...offer, to: '@shape-cache', word: 'ended' } : offer;
    });
  }

  /** The supervisor starts what it is asked to start when the request reaches it. */
  protected isAtOnce({ word, from, to, signal }: Offer): boolean {
    if (AT_ONCE.includes(to) || isVoid(signal)) return true;
    if (to === '@consumers') return from !== 'consumer#1' || word !== 'startChild';
    return to === 'outside';
  }

  protected happen(name: string): boolean {
    const { runtime } = this.real;
    const index = Number(name.split(' ')[1]) - 1;
    if (name.startsWith('commit')) runtime.send('@writer', { type: 'commit', index, wishes: (SCRIPT[index] ?? []).map(wishOf) });
    else if (name.startsWith('show')) runtime.send('@writer', { type: 'show', index });
    else if (name === 'the shape is made') {
      this.real.createShape();
      runtime.send(NAMES.consumers, { type: 'startChild', template: 'consumer', args: {} });
    } else runtime.send(NAMES.consumers, { type: 'startChild', template: 'materializer', args: {} });
    return true;
  }

  protected strike(role: string): void {
    this.real.runtime.exit(ROLES[role] ?? '@nobody', 'kill');
  }

  protected deliver(): void {
    this.real.runtime.step();
  }

  protected settle(): Promise<void> {
    return this.real.settle();
  }
}

function wishOf(change: RowChange): Wish {
  if ('new' in change) return { row: Number(change.new[0]), value: change.new[1] ?? null, remove: false };
  return { row: Number('old' in change ? change.old[0] : 0), value: null, remove: true };
}
