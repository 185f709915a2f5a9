/**
 * Topics: the forms of the observer by name, each made at most once in a while whoever asks.
 *
 * A form over ten thousand processes takes some milliseconds: who asks for it shortly after somebody else gets the same text. And
 * a stream that asks again and again is told how long to wait, so that no form takes more than a small part of the time.
 */
import type { Clock } from '../../base/clock.ts';
import type { ErrorView } from '../views.ts';

/** What a topic is about is not there. */
export class NotThereError extends Error {
  override readonly name = 'NotThereError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface MadeForm {
  /** JSON: `{"view":…}` without the braces, or `{"error":…}`. */
  readonly text: string;
  /** The same without the time at which it was made: equal for equal content. */
  readonly content: string;
  /** For so long it should not be made again. */
  readonly restMs: number;
}

interface Form {
  readonly atMs: number;
}

type Maker = (subject: string) => Form | Promise<Form>;

const REST_MS_MIN = 250;
/** What takes 10 ms is made every 400 ms at the most. */
export const REST_OF_COST = 40;
const KEPT_MAX = 100;

interface Kept {
  readonly untilMs: number;
  readonly made: Promise<MadeForm>;
}

export class Topics {
  private readonly kept = new Map<string, Kept>();

  /** @param makers by what stands before the colon of a topic. */
  constructor(
    private readonly makers: Readonly<Record<string, Maker>>,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  has(topic: string): boolean {
    return Object.hasOwn(this.makers, nameOf(topic));
  }

  /** @throws what its maker throws, but for a NotThereError, which is a form too. */
  form(topic: string): Promise<MadeForm> {
    const known = this.kept.get(topic);
    if (known !== undefined && known.untilMs > this.clock.nowMs()) return known.made;
    const made = this.make(topic);
    this.keep(topic, { made, untilMs: this.clock.nowMs() + REST_MS_MIN / 2 });
    return made;
  }

  private async make(topic: string): Promise<MadeForm> {
    const beganMs = this.clock.nowMs();
    const content = await this.contentOf(topic);
    const costMs = this.clock.nowMs() - beganMs;
    return { ...content, restMs: Math.max(REST_MS_MIN, costMs * REST_OF_COST) };
  }

  private async contentOf(topic: string): Promise<Pick<MadeForm, 'text' | 'content'>> {
    try {
      const { atMs, ...rest } = await this.makers[nameOf(topic)]?.(subjectOf(topic)) ?? noTopic(topic);
      const content = JSON.stringify(rest);
      return { text: `"view":{"atMs":${atMs},${content.slice(1)}`, content };
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
      const view: ErrorView = { code: error.code, message: error.message };
      const text = `"error":${JSON.stringify(view)}`;
      return { text, content: text };
    }
  }

  private keep(topic: string, kept: Kept): void {
    kept.made.catch(() => this.kept.delete(topic)); // Whoever waits for it is told; the next one asks anew.
    this.kept.delete(topic);
    this.kept.set(topic, kept);
    if (this.kept.size <= KEPT_MAX) return;
    const [oldest] = this.kept.keys();
    if (oldest !== undefined) this.kept.delete(oldest);
  }
}

function noTopic(topic: string): never {
  throw new NotThereError('unknown_topic', `there is no topic ${topic}`);
}

function nameOf(topic: string): string {
  const cut = topic.indexOf(':');
  return cut < 0 ? topic : topic.slice(0, cut);
}

function subjectOf(topic: string): string {
  const cut = topic.indexOf(':');
  return cut < 0 ? '' : topic.slice(cut + 1);
}
