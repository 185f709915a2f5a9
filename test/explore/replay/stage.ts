/**
 * Stage: the production runtime, and on it processes that have the names of a system. What the checker or a scenario tells turn by
 * turn is done here by a scheduler that takes the same choices.
 *
 * Some things are a step of their own here and none there: a port's answer that the checker computes while it is asked for, or a
 * signal that will find nobody who waits for it. They are delivered as soon as they are there, and all else when its turn comes.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import { KILLED_BY } from '../checker/draft.ts';
import type { Turn } from '../checker/note.ts';
import { offersOf, type Offer } from './offer.ts';

/** Of one turn, and of what follows it at once. A run that goes on for longer never ends. */
const DELIVERIES_MAX = 1_000;
/** Longer than any timer of these systems runs, and the steps in which that time passes, in milliseconds. */
const [PATIENCE_MS, TICK_MS] = [120_000, 50];

type IsMeant = (offer: Offer) => boolean;

export abstract class Stage {
  protected abstract readonly clock: ManualClock;
  protected abstract readonly scheduler: ChoosingScheduler;
  /** What the scheduler is told when it asks. */
  protected next = 0;

  /** In the system's words: a pid with the number of its incarnation, a name as it is. */
  protected abstract nameOf(address: string): string;
  protected abstract isAtOnce(offer: Offer): boolean;
  /** @returns false when no such thing can happen now. */
  protected abstract happen(name: string): boolean;
  /** Sends a kill. */
  protected abstract strike(role: string): void;
  protected abstract deliver(offer: Offer): void;
  /** Lets every answer come that waits for nothing but a promise. */
  protected abstract settle(): Promise<void>;

  /** @returns false when it does not apply here. What follows it at once has come. */
  async take(turn: Turn): Promise<boolean> {
    const isTaken = this.begin(turn);
    await this.catchUp();
    return isTaken;
  }

  /** What could be delivered now, oldest first. */
  protected offers(): readonly Offer[] {
    return offersOf(this.scheduler, (address) => this.nameOf(address));
  }

  protected async catchUp(): Promise<void> {
    for (let count = 0; count < DELIVERIES_MAX; count += 1) {
      await this.settle();
      if (!this.choose((offer) => this.isAtOnce(offer))) return;
    }
    invariant(false, 'what comes at once comes to an end');
  }

  /** Delivers the oldest such offer. @returns false when there is none. */
  protected choose(isMeant: IsMeant): boolean {
    const offer = this.offers().find(isMeant);
    if (offer === undefined) return false;
    this.next = offer.index;
    this.deliver(offer);
    return true;
  }

  private begin(turn: Turn): boolean {
    if ('happen' in turn) return this.happen(turn.happen);
    if ('deliver' in turn) return this.pass(turn);
    if ('goOn' in turn) return this.choose(({ word, to, isUrgent }) => isUrgent && to === turn.role && word === turn.goOn);
    if ('kill' in turn) {
      this.strike(turn.kill);
      return this.choose(({ word, from, to }) => word === 'kill' && to === turn.kill && from.startsWith('outside'));
    }
    const told = 'timeout' in turn ? `time-out ${turn.timeout}` : `silence of ${turn.silence}`;
    return this.chooseLater(({ word, to }) => to === turn.role && word === told);
  }

  /** A process that still has something urgent has that before what is passed on to it. */
  private pass({ deliver, from, to }: Extract<Turn, { readonly deliver: string }>): boolean {
    const sender = this.nameOf(from.replace(KILLED_BY, ''));
    for (let count = 0; count < DELIVERIES_MAX; count += 1) {
      if (this.choose((offer) => offer.word === deliver && offer.from === sender && offer.to === to)) return true;
      if (!this.choose((offer) => offer.isUrgent && offer.to === to)) return false;
    }
    return false;
  }

  /** Time passes until there is such an offer. Other time-outs that it brings wait for their own turns. */
  private chooseLater(isMeant: IsMeant): boolean {
    for (let passedMs = 0; passedMs < PATIENCE_MS && !this.offers().some(isMeant); passedMs += TICK_MS) this.clock.advance(TICK_MS);
    return this.choose(isMeant);
  }
}
