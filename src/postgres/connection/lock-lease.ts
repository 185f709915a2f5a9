/**
 * LockLease: who holds the lock has it for a while, and again and again for another one.
 *
 * A session tells neither side that the network between them was cut, nor that its process stands still: the lock would be had for ever by
 * who cannot know of it, above all behind a proxy that goes on to answer what keeps a connection alive. So the holder asks Postgres a small
 * question several times in each lease; and Postgres, which ends a session that was idle for a lease, gives the lock to who waits. The
 * holder, if it still runs, has given up by then; nor does anything else end its session sooner, but a network that says so.
 */
import type pg from 'pg';
import type { Clock, TimerId } from '../../base/clock.ts';
import { DatabaseRefusedError, typed } from './database-error.ts';
import { probeNoSooner } from './orphan-watch.ts';
import { breakOff } from './silence.ts';

/** Of the time in which an answer must come. */
const QUESTIONS = 3;
const LEASE_FACTOR = 2;

/**
 * For the rest of the session: who gets the lock for nobody loses it again. Outside of any transaction.
 *
 * @param answerMsMax how long Postgres may leave a question without an answer; twice that is the lease, in milliseconds.
 */
export async function leaseLock(client: pg.ClientBase, answerMsMax: number): Promise<void> {
  try {
    await typed(() => client.query(`SET idle_session_timeout = ${LEASE_FACTOR * answerMsMax}`));
    await probeNoSooner(client, LEASE_FACTOR * answerMsMax);
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error; // Not able: then TCP alone ends it.
  }
}

export class LockLease {
  private timer: TimerId;
  /** How often we looked in vain for an answer: one look for each turn of ours, however long we stood still. */
  private looks = 0;
  private isAsking = false;
  /** When the last question was asked that has its answer: Postgres has had nothing from us since, as far as we know. */
  private provenAtMs: number;

  /** @param client ended when Postgres does not answer in time. */
  constructor(
    private readonly client: pg.Client,
    private readonly clock: Clock,
    private readonly answerMsMax: number,
  ) {
    this.provenAtMs = clock.nowMs();
    this.timer = this.later();
  }

  /** Nothing is asked any more. */
  end(): void {
    this.clock.clearTimer(this.timer);
  }

  private later(): TimerId {
    return this.clock.setTimer(() => this.look(), this.answerMsMax / QUESTIONS);
  }

  private look(): void {
    this.looks = this.isAsking ? this.looks + 1 : 0;
    if (this.looks >= QUESTIONS || this.isOver()) return breakOff(this.client);
    this.timer = this.later();
    if (!this.isAsking) this.ask();
  }

  /** After a standstill of ours another one may have the lock, whatever there is to read. */
  private isOver(): boolean {
    return this.clock.nowMs() - this.provenAtMs >= LEASE_FACTOR * this.answerMsMax;
  }

  private ask(): void {
    this.isAsking = true;
    const askedAtMs = this.clock.nowMs();
    const answered = (): void => {
      this.isAsking = false;
      this.provenAtMs = askedAtMs;
    };
    this.client.query('SELECT 1').then(answered, () => {}); // A session that has ended says so itself.
  }
}
