/** ObserverClient: the forms of a service's observer, as a page asks for them. */
import { request } from 'node:http';
import { invariant } from '../../../src/base/invariant.ts';
import type { EventData } from '../../../src/observer/views/events.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export class ObserverClient {
  constructor(
    private readonly origin: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** @param query of the form `processes?kind=…`. */
  async form<View>(query: string): Promise<View> {
    const { status, text } = await this.raw('GET', `/_observer/api/${query}`);
    invariant(status === 200, `${query} gives ${status} ${text}`);
    return JSON.parse(text) as View;
  }

  /** The form once `isSo` holds of it. */
  async until<View>(query: string, isSo: (view: View) => boolean): Promise<View> {
    for (;;) {
      const view = await this.form<View>(query);
      if (isSo(view)) return view;
    }
  }

  /** Sends the path as it is, and any header: `fetch` would make a better request of it. */
  raw(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const { hostname, port } = new URL(this.origin);
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, method, path, headers: { ...this.headers, ...headers } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() }));
      });
      asked.on('error', reject).end();
    });
  }

  /** The events of these topics, until `isSo` holds of one; the stream is closed then. */
  async event(topics: readonly string[], isSo: (event: EventData) => boolean): Promise<EventData> {
    const query = topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
    const leaving = new AbortController();
    const response = await fetch(`${this.origin}/_observer/events?${query}`, { headers: this.headers, signal: leaving.signal });
    invariant(response.body !== null, 'a stream has a body');
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      const found = events.filter((event) => event.startsWith('data: ')).map((event) => JSON.parse(event.slice(6)) as EventData).find(isSo);
      if (found === undefined) continue;
      leaving.abort();
      return found;
    }
    return await this.event(topics, isSo); // The stream was cut: it is followed anew.
  }
}
