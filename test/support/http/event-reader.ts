/** An event stream as a test reads it: what has come so far, and whether it is over. */
import { until } from './http-world.ts';

export class EventReader {
  private text = '';
  private over: 'ended' | 'cut off' | undefined;

  constructor(response: Response) {
    void this.readAll(response);
  }

  /** Of every event so far. */
  get messages(): readonly unknown[] {
    return this.events.filter((event) => event.startsWith('data: ')).map((event) => JSON.parse(event.slice('data: '.length)));
  }

  get comments(): readonly string[] {
    return this.events.filter((event) => event.startsWith(':'));
  }

  get end(): 'ended' | 'cut off' | undefined {
    return this.over;
  }

  /** Resolves with the messages once there are so many. */
  async first(count: number): Promise<readonly unknown[]> {
    await until(() => this.messages.length >= count);
    return this.messages;
  }

  /** Resolves when the stream is over, with how it came to that. */
  async untilOver(): Promise<string | undefined> {
    await until(() => this.over !== undefined);
    return this.over;
  }

  private get events(): readonly string[] {
    return this.text.split('\n\n').slice(0, -1);
  }

  private async readAll(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const piece of response.body ?? []) this.text += decoder.decode(piece, { stream: true });
      this.over = 'ended';
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // What fetch says of a connection that was cut.
      this.over = 'cut off';
    }
  }
}
