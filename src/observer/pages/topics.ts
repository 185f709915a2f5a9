/**
 * Topics: the forms of the observer by name, each made at most once in a while whoever asks.
 *
 * A form over ten thousand processes takes some milliseconds: so it rests for many times as long, and whoever asks meanwhile gets
 * the same text. So no form takes more than a small part of the time. What it waits for, as for Postgres, costs nothing.
 */
import type { Clock } from '../../base/clock.ts';
import type { ErrorView } from '../views/service.ts';

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
  /** JSON: the form, or an `ErrorView` when it is not there. */
  readonly json: string;
  readonly isThere: boolean;
  /** The same without the time at which it was made: equal for equal content. */
  readonly content: string;
  /** For so long nobody else could be served, in milliseconds: what it waited for is not in it. */
  readonly costMs: number;
  /** Whoever asks before then gets this one; on the clock's scale. */
  readonly untilMs: number;
}

interface Form {
  readonly atMs: number;
}

type Maker = (subject: string) => Form | Promise<Form>;

const REST_MS_MIN = 250;
const REST_MS_MAX = 15_000;
/** What takes 10 ms is made every 400 ms at the most. */
const REST_OF_COST = 40;
const KEPT_MAX = 100;

interface Kept {
  readonly made: Promise<MadeForm>;
  /** Infinite while it is being made. */
  untilMs: number;
}

/** How long to rest behind work that took so long. */
export function restMsOf(costMs: number): number {
  return Math.min(REST_MS_MAX, costMs * REST_OF_COST);
}

export class Topics {
  private readonly kept = new Map<string, Kept>();

  /** @param makers by name; one that is about something by its name with the colon. */
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
    const kept: Kept = { made: this.make(topic), untilMs: Infinity };
    this.keep(topic, kept);
    return kept.made;
  }

  private async make(topic: string): Promise<MadeForm> {
    const { clock } = this;
    const beganMs = clock.nowMs();
    const making = this.begin(topic);
    const begunMs = clock.nowMs();
    const form = await making;
    const returnedMs = clock.nowMs();
    const written = writtenForm(form);
    const madeMs = clock.nowMs();
    const costMs = begunMs - beganMs + madeMs - returnedMs;
    return { ...written, costMs, untilMs: madeMs + Math.max(REST_MS_MIN, restMsOf(costMs)) };
  }

  private async begin(topic: string): Promise<Form | NotThereError> {
    try {
      return await (this.makers[nameOf(topic)]?.(subjectOf(topic)) ?? noTopic(topic));
    } catch (error) {
      if (error instanceof NotThereError) return error;
      throw error;
    }
  }

  private keep(topic: string, kept: Kept): void {
    for (const [each, { untilMs }] of this.kept) if (untilMs <= this.clock.nowMs()) this.kept.delete(each);
    this.kept.set(topic, kept);
    kept.made.then(({ untilMs }) => (kept.untilMs = untilMs), () => this.forget(topic, kept)); // Whoever waits for it is told.
    if (this.kept.size <= KEPT_MAX) return;
    const [oldest] = this.kept.keys();
    if (oldest !== undefined) this.kept.delete(oldest);
  }

  /** The next one asks anew. */
  private forget(topic: string, kept: Kept): void {
    if (this.kept.get(topic) === kept) this.kept.delete(topic);
  }
}

function writtenForm(form: Form | NotThereError): Pick<MadeForm, 'json' | 'content' | 'isThere'> {
  if (form instanceof NotThereError) {
    const view: ErrorView = { code: form.code, message: form.message };
    const json = JSON.stringify(view);
    return { json, content: json, isThere: false };
  }
  const { atMs, ...rest } = form;
  const content = JSON.stringify(rest);
  return { json: `{"atMs":${atMs},${content.slice(1)}`, content, isThere: true };
}

function noTopic(topic: string): never {
  throw new NotThereError('unknown_topic', `there is no topic ${topic}`);
}

/** With its colon, if it has one: a topic that is about nothing has none. */
function nameOf(topic: string): string {
  const cut = topic.indexOf(':');
  return cut < 0 ? topic : topic.slice(0, cut + 1);
}

function subjectOf(topic: string): string {
  const cut = topic.indexOf(':');
  return cut < 0 ? '' : topic.slice(cut + 1);
}
