/**
 * Live: the views of the service as they change, over one event stream for all that the page shows at a time.
 *
 * A stream that breaks is opened anew until it holds; what was shown stays meanwhile, and the page says that it is old, or why it is
 * refused. While nobody sees the page there is none: a tab that was forgotten must not keep the service recording.
 */
import { useEffect, useState } from 'preact/hooks';
import type { EventData } from '../views/events.ts';
import type { ErrorView } from '../views/service.ts';
import { after, getJson, isSeen, onSeenChange, refusalOf } from './browser.ts';

export type Connection = 'connecting' | 'open' | 'lost' | ErrorView;

/** What is known of a view: nothing yet, its last form, or why there is none. */
export interface Seen<View> {
  readonly view: View | undefined;
  readonly error: ErrorView | undefined;
}

const RETRY_MS = 2_000;
const UNAUTHORIZED = 401;

type Listener = (data: EventData) => void;

class LiveStream {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly watchers = new Set<(connection: Connection) => void>();
  private source: EventSource | undefined;
  private cancelOpening: (() => void) | undefined;
  private connection: Connection = 'connecting';

  constructor() {
    onSeenChange(() => this.openIn(0));
  }

  /** @returns ends it. */
  listen(topic: string, listener: Listener): () => void {
    const known = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, known.add(listener));
    this.openIn(0);
    return () => {
      known.delete(listener);
      if (known.size > 0) return;
      this.listeners.delete(topic);
      this.openIn(0);
    };
  }

  watch(watcher: (connection: Connection) => void): () => void {
    this.watchers.add(watcher);
    watcher(this.connection);
    return () => this.watchers.delete(watcher);
  }

  /** Topics change together, as when a view gives way to another: one stream for all of them. */
  private openIn(delayMs: number): void {
    this.cancelOpening?.();
    this.cancelOpening = after(delayMs, () => this.open());
  }

  private open(): void {
    this.source?.close();
    if (this.listeners.size === 0 || !isSeen()) return;
    const topics = [...this.listeners.keys()].map((topic) => `topic=${encodeURIComponent(topic)}`);
    const url = `/_observer/events?${topics.join('&')}`;
    const source = new EventSource(url);
    this.source = source;
    source.onopen = () => this.say('open');
    source.onmessage = ({ data }: MessageEvent<string>) => this.tell(JSON.parse(data) as EventData);
    source.onerror = () => {
      source.close();
      this.openIn(RETRY_MS);
      void this.sayWhy(source, url);
    };
  }

  /** Without the secret it stays refused; for all else it is tried again. */
  private async sayWhy(source: EventSource, url: string): Promise<void> {
    this.say('lost');
    const refusal = await refusalOf(url);
    if (refusal === undefined || this.source !== source) return;
    if (refusal.status === UNAUTHORIZED) this.cancelOpening?.();
    this.say({ code: refusal.code, message: refusal.message });
  }

  private tell(data: EventData): void {
    for (const listener of this.listeners.get(data.topic) ?? []) listener(data);
  }

  private say(connection: Connection): void {
    this.connection = connection;
    for (const watcher of this.watchers) watcher(connection);
  }
}

const stream = new LiveStream();

export function useConnection(): Connection {
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => stream.watch(setConnection), []);
  return connection;
}

/** @param topic with another one nothing is known at first. */
export function useTopic<View>(topic: string): Seen<View> {
  const [seen, setSeen] = useState<Seen<View> & { topic: string }>({ topic, view: undefined, error: undefined });
  useEffect(() => {
    return stream.listen(topic, (data) => {
      setSeen((before) => ({
        topic,
        view: 'view' in data ? (data.view as View) : before.topic === topic ? before.view : undefined,
        error: 'error' in data ? data.error : undefined,
      }));
    });
  }, [topic]);
  return seen.topic === topic ? seen : { view: undefined, error: undefined };
}

/** Asks once for each URL, and again every so often where `everyMs` says so; what was seen stays while it is asked anew. */
export function useAnswer<View>(url: string, everyMs?: number): Seen<View> {
  const [seen, setSeen] = useState<Seen<View>>({ view: undefined, error: undefined });
  useEffect(() => {
    const ending = new AbortController();
    let cancel = (): void => undefined;
    const ask = async (): Promise<void> => {
      const next = await getJson<View>(url, { signal: ending.signal }).then(
        (view) => ({ view, error: undefined }),
        (error: unknown) => ({ view: undefined, error: errorOf(error) }),
      );
      if (ending.signal.aborted) return;
      setSeen(next);
      if (everyMs !== undefined) cancel = after(everyMs, () => void ask());
    };
    void ask();
    return () => {
      ending.abort();
      cancel();
    };
  }, [url, everyMs]);
  return seen;
}

export function errorOf(error: unknown): ErrorView {
  if (error instanceof Error && 'code' in error) return { code: String(error.code), message: error.message };
  return { code: 'unreachable', message: 'The service does not answer.' };
}
