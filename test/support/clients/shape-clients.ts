/**
 * The client that people use, from npm, in the versions that are found in the field: the newest, the one that other packages
 * bring along, and the oldest. Each polls, or streams.
 */
import { setMaxListeners } from 'node:events';
import * as current from '@electric-sql/client';
import * as oldest from 'electric-client-1.0';
import * as brought from 'electric-client-1.1';
import { vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';

export interface BrowserPage {
  /** Tells all clients that it is seen no more, or again. */
  setHidden(isHidden: boolean): void;
}

/** What older clients that stream want of a browser: a window, and a page in it, which is visible. */
export function beginBrowser(): BrowserPage {
  vi.stubGlobal('window', globalThis);
  const page = Object.assign(new EventTarget(), { hidden: false });
  setMaxListeners(0, page); // Each client listens.
  vi.stubGlobal('document', page);
  return {
    setHidden(isHidden) {
      page.hidden = isHidden;
      page.dispatchEvent(new Event('visibilitychange'));
    },
  };
}

/** What a client was told of a row, or of its log: `insert 1`, `must-refetch`. */
export type Told = string;

export interface FollowedShape {
  readonly url: string;
  readonly params: Parameters;
}

/** None of them has the name of a parameter that the client makes itself. */
export type Parameters = Readonly<Record<string, string>> & { [name: `subset__${string}`]: never };

interface Message {
  readonly key?: string;
  readonly value?: Readonly<Record<string, unknown>>;
  readonly old_value?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Stream {
  subscribe(take: (messages: Message[]) => void): unknown;
}

/** They try again soon: a test waits for them. */
const BACKOFF = { initialDelay: 100, maxDelay: 1000, multiplier: 1.3 };

interface StreamOptions extends FollowedShape {
  readonly backoffOptions: typeof BACKOFF;
  readonly signal: AbortSignal;
  readonly fetchClient: typeof fetch;
  onError(error: unknown): void;
}

export interface ClientKind {
  readonly version: string;
  readonly way: 'polls' | 'streams';
  /**
   * It reads events as older versions do: a stream that is broken off is an error that stops it, and when it is told to leave it
   * opens another one.
   */
  readonly hasOldEvents?: true;
  open(options: StreamOptions): Stream;
}

export const CLIENT_KINDS: readonly ClientKind[] = [
  { version: '1.0.14', way: 'polls', open: (options) => new oldest.ShapeStream(options) },
  {
    version: '1.0.14',
    way: 'streams',
    hasOldEvents: true,
    open: (options) => new oldest.ShapeStream({ ...options, experimentalLiveSse: true }),
  },
  { version: '1.1.1', way: 'polls', open: (options) => new brought.ShapeStream(options) },
  {
    version: '1.1.1',
    way: 'streams',
    hasOldEvents: true,
    open: (options) => new brought.ShapeStream({ ...options, liveSse: true }),
  },
  { version: 'current', way: 'polls', open: (options) => new current.ShapeStream(options) },
  { version: 'current', way: 'streams', open: (options) => new current.ShapeStream({ ...options, liveSse: true }) },
];

/** A client that keeps account of what it asks and of what it is told. */
export class ShapeClient {
  readonly name: string;
  readonly told: Told[] = [];
  readonly messages: Message[] = [];
  readonly errors: unknown[] = [];
  private readonly asked: { readonly url: URL; readonly atMs: number; readonly signal: AbortSignal | undefined }[] = [];
  private readonly controller = new AbortController();

  constructor(kind: ClientKind, shape: FollowedShape) {
    this.name = `${kind.version} ${kind.way}`;
    const stream = kind.open({
      ...shape,
      backoffOptions: BACKOFF,
      signal: this.controller.signal,
      fetchClient: (input, init) => {
        const signal = init?.signal ?? undefined;
        if (signal?.aborted !== true) this.asked.push({ url: new URL(String(input)), atMs: systemClock.nowMs(), signal });
        return fetch(input, init);
      },
      onError: (error) => void this.errors.push(error),
    });
    stream.subscribe((messages) => messages.forEach((message) => this.take(message)));
  }

  get requestCount(): number {
    return this.asked.length;
  }

  get liveCount(): number {
    return this.asked.filter(({ url }) => url.searchParams.get('live') === 'true').length;
  }

  /** It has given up what it asked for last. */
  get hasGivenUp(): boolean {
    return this.asked.at(-1)?.signal?.aborted === true;
  }

  /** The most that it asked within any second. */
  get requestsInSecond(): number {
    return Math.max(0, ...this.asked.map(({ atMs }) => this.asked.filter((other) => Math.abs(other.atMs - atMs) < 500).length));
  }

  /** Rows as its messages leave them; values are those of the newest message of a row. */
  get rows(): readonly Readonly<Record<string, unknown>>[] {
    const rows = new Map<string, Readonly<Record<string, unknown>>>();
    for (const { key, value, headers } of this.messages) {
      if (headers['control'] === 'must-refetch') rows.clear();
      if (key === undefined) continue;
      if (headers['operation'] === 'delete') rows.delete(key);
      else rows.set(key, { ...rows.get(key), ...value });
    }
    return [...rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
  }

  leave(): void {
    this.controller.abort();
  }

  private take(message: Message): void {
    this.messages.push(message);
    const { key, headers } = message;
    const said = key === undefined ? headers['control'] : `${String(headers['operation'])} ${String(message.value?.['id'])}`;
    if (said !== 'up-to-date' && said !== 'snapshot-end') this.told.push(String(said));
  }
}
