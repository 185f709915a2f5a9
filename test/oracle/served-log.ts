/**
 * What a client was told of one log, kept small: a digest of all its entries in order, and the very bytes of a few answers.
 *
 * A log tells the same bytes at the same offset for ever, also after the service was killed. So a fresh client's digest after
 * as many entries must be the same, and an answer that is asked for again must begin with what it was.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../../src/base/random.ts';
import type { ShapeMessage } from '../support/shapes/tag-folding-client.ts';

export interface ServedAnswer {
  readonly handle: string;
  readonly offset: string;
  readonly bytes: string;
}

export interface LogMark {
  readonly entries: number;
  readonly digest: string;
}

const SAMPLES_MAX = 6;

export class ServedLog {
  readonly samples: ServedAnswer[] = [];
  private entries = 0;
  private digest = '';
  private answers = 0;
  /** The digest was this after as many entries as `watched` has. */
  private seen: string | undefined;

  /** @param watched what another client of the same log was told. */
  constructor(private readonly random: Random, private readonly watched?: LogMark) {}

  /** @param answer left out where the same request would be answered in another way: of an event stream. */
  add(entries: readonly ShapeMessage[], answer?: ServedAnswer): void {
    for (const entry of entries) this.addEntry(JSON.stringify(entry));
    if (entries.length > 0 && answer !== undefined) this.sample(answer);
  }

  mark(): LogMark {
    return { entries: this.entries, digest: this.digest };
  }

  /** False also when this log is shorter than what was told before. */
  agrees(): boolean {
    return this.watched === undefined || this.watched.entries === 0 || this.seen === this.watched.digest;
  }

  private addEntry(entry: string): void {
    this.digest = createHash('sha1').update(this.digest).update(entry).digest('base64');
    this.entries += 1;
    if (this.entries === this.watched?.entries) this.seen = this.digest;
  }

  /** Each answer is as likely to be kept as any other. */
  private sample(answer: ServedAnswer): void {
    this.answers += 1;
    const place = this.answers <= SAMPLES_MAX ? this.answers - 1 : this.random.below(this.answers);
    if (place < SAMPLES_MAX) this.samples[place] = answer;
  }
}
