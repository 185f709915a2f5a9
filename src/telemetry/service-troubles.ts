/**
 * ServiceTroubles: what stands between the service and Postgres, or its disk, at present, as the journal was told of it: since when, in
 * which words, and when it is tried again. A trouble stands until the journal hears that the same thing works.
 */
import type { JournalNote } from '../actors/journal.ts';
import type { Clock } from '../base/clock.ts';

export type Troubled = 'storage' | 'lock' | 'replication' | 'pools' | 'sessions';

export interface Trouble {
  /** Its first failure: microseconds since 1970-01-01 UTC. */
  readonly sinceMicros: number;
  /** The last error, as Postgres or the system says it; undefined where none was told. */
  readonly message: string | undefined;
  /** What that means, in words that name nothing of ours; undefined where none were told. */
  readonly meaning: string | undefined;
  /** Of the next attempt, on the clock's scale; undefined where none was told. */
  readonly retryAtMs: number | undefined;
}

/** What a note says of whom. */
const BEGINS: Readonly<Record<string, Troubled>> = {
  'lock.refused': 'lock', 'lock.lost': 'lock', 'pools.down': 'pools',
  'replication.refused': 'replication', 'replication.ended': 'replication', 'storage.refused': 'storage',
  'publication.broken': 'replication', 'sessions.withheld': 'sessions',
};
const ENDS: Readonly<Record<string, Troubled>> = {
  'lock.acquired': 'lock', 'replication.streaming': 'replication', 'pools.up': 'pools', 'storage.recovered': 'storage',
  'sessions.lent': 'sessions',
};

export class ServiceTroubles {
  private readonly standing = new Map<Troubled, Trouble>();

  constructor(private readonly clock: Pick<Clock, 'nowMs' | 'epochMicros'>) {}

  note({ what, error, retryInMs }: JournalNote): void {
    const [begins, ends] = [BEGINS[what], ENDS[what]];
    if (ends !== undefined) this.standing.delete(ends);
    if (begins === undefined) return;
    const { clock } = this;
    this.standing.set(begins, {
      sinceMicros: this.standing.get(begins)?.sinceMicros ?? clock.epochMicros(),
      message: textOf(error, 'message'),
      meaning: textOf(error, 'meaning'),
      retryAtMs: typeof retryInMs === 'number' ? clock.nowMs() + retryInMs : undefined,
    });
  }

  of(troubled: Troubled): Trouble | undefined {
    return this.standing.get(troubled);
  }
}

function textOf(error: unknown, field: 'message' | 'meaning'): string | undefined {
  const told: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, field) : undefined;
  return told === undefined ? undefined : String(told);
}
