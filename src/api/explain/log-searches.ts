/**
 * LogSearches: who looks through a shape's log, for a transaction or a row. A client asks until its question is settled, each time up to
 * 32 MiB are read: so equal questions are one search, few are under way at once, and one that nobody waits for any longer stops.
 */
import { DRAINING } from '../draining.ts';

const AT_ONCE_MAX = 4;
const REMEMBERED_MAX = 1_000;

/** Nobody waits for the answer: the log was not looked through to its end. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError';
}

interface Search<Answer> {
  readonly answer: Promise<Answer>;
  readonly stop: AbortController;
  askers: number;
}

export class LogSearches<Answer> {
  private readonly underWay = new Map<string, Search<Answer>>();
  private readonly remembered = new Map<string, Answer>();

  /** @param isFinal whether the same question has this answer for ever. */
  constructor(
    private readonly turns: SearchTurns,
    private readonly isFinal: (answer: Answer) => boolean = () => false,
  ) {}

  /**
   * @param question equal for equal ones.
   * @param look stops where its signal is aborted.
   * @throws {AbandonedError} when nobody waits any longer.
   */
  async ask(question: string, signal: AbortSignal, look: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const known = this.remembered.get(question);
    if (known !== undefined) return known;
    const search = this.underWay.get(question) ?? this.begin(question, look);
    const leave = (): void => this.leave(question, search, signal);
    search.askers += 1;
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await search.answer;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private begin(question: string, look: (signal: AbortSignal) => Promise<Answer>): Search<Answer> {
    const stop = new AbortController();
    const search: Search<Answer> = { answer: this.inTurn(stop.signal, look), stop, askers: 0 };
    this.underWay.set(question, search);
    search.answer.then((answer) => this.end(question, search, answer), () => this.end(question, search));
    return search;
  }

  private async inTurn(signal: AbortSignal, look: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    await this.turns.take();
    try {
      if (signal.aborted) throw new AbandonedError();
      return await look(signal);
    } finally {
      this.turns.give();
    }
  }

  /** While the service closes, who waits is answered still. */
  private leave(question: string, search: Search<Answer>, { reason }: AbortSignal): void {
    if (reason === DRAINING) return;
    search.askers -= 1;
    if (search.askers > 0) return;
    this.end(question, search); // Whoever comes now begins anew.
    search.stop.abort();
  }

  private end(question: string, search: Search<Answer>, answer?: Answer): void {
    if (this.underWay.get(question) === search) this.underWay.delete(question);
    if (answer === undefined || !this.isFinal(answer)) return;
    this.remembered.set(question, answer);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= REMEMBERED_MAX) break;
      this.remembered.delete(oldest);
    }
  }
}

/** In the order in which they come. */
export class SearchTurns {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  take(): Promise<void> {
    if (this.taken < AT_ONCE_MAX) {
      this.taken += 1;
      return Promise.resolve();
    }
    return new Promise((turn) => this.waiting.push(turn));
  }

  give(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.taken -= 1;
    else next();
  }
}
