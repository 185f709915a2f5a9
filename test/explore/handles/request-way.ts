/** RequestWay: where a request stands on its way, as its table. What it asks at once, it reads in the world; all else is told. */
import { consumerOf } from '../../../src/actors/shape-processes.ts';
import type { Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { definitionKey, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import type { Address, Message, Pid, Table } from '../../../src/otp/process.ts';
import { WorldFork } from '../checker/world-fork.ts';
import type { HandleModel } from './handle-model.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { Question, Way } from './request-ways.ts';

export type RequestChange = 'begin' | { readonly took: Message };

export type RequestTold =
  | { readonly type: 'request.asks'; readonly to: Address; readonly request: Message }
  | { readonly type: 'request.tells'; readonly to: Address; readonly message: Message }
  | { readonly type: 'request.waits' }
  | { readonly type: 'request.ends'; readonly answer: RequestAnswer };

/** @param role of the request, which has come. */
export function requestWay(role: string, self: Pid, world: HandleModel): RequestWay {
  const asked = world.is.asked[role];
  invariant(asked !== undefined, `somebody asks as ${role}`);
  const { purpose, name, handle } = asked;
  const { definitions, ways } = world.setting;
  return new RequestWay(self, world, definitions[name], ways[purpose][name], handle === undefined ? [] : [handle]);
}

class RequestWay implements Table<RequestChange> {
  private steps: readonly string[] = [];

  /** @param handles that it has met, or names. */
  constructor(
    private readonly self: Pid,
    private readonly world: HandleModel,
    private readonly definition: ShapeDefinition,
    private way: Way,
    private handles: readonly Handle[],
    private readonly goneBefore = world.is.retired.length,
  ) {}

  apply(change: RequestChange): Message {
    if (change !== 'begin') this.follow(this.answerIn(change.took));
    for (;;) {
      const { way } = this;
      invariant(!('claim' in way), 'claim' in way ? way.claim : '');
      if (!('question' in way)) return { type: 'request.ends', answer: this.answer(way) };
      const answer = this.lookUp(way.question);
      if (answer === undefined) return this.told(way.question);
      this.follow(answer);
    }
  }

  clone(fork: Fork): RequestWay {
    const { self, definition, way, handles, goneBefore, steps } = this;
    const copy = new RequestWay(self, WorldFork.worldOf(fork), definition, way, handles, goneBefore);
    copy.steps = steps;
    return copy;
  }

  key(): string {
    return JSON.stringify([this.steps, this.handles, this.goneBefore]);
  }

  /** Who waits leaves on every way. */
  close(): void {
    this.world.leave(this.self);
  }

  private follow(answer: string): void {
    const { way } = this;
    const next = 'question' in way ? way.next.get(answer) : undefined;
    invariant(next !== undefined, `the request was asked beforehand what it makes of ${answer}`);
    this.way = next;
    this.steps = [...this.steps, answer];
  }

  /** Undefined for what is not to be had at once. */
  private lookUp(question: Question): string | undefined {
    const { world } = this;
    const directory = world.theDirectory;
    switch (question.ask) {
      case 'find':
      case 'findReadable':
        return this.numberOf(directory[question.ask](this.definition));
      case 'definitionOf':
        return this.sortOf(directory.definitionOf(this.named(question)));
      case 'isForOthers':
        return directory.isForOthers(this.named(question)) ? 'yes' : 'no';
      case 'failureOf':
        return statusOf(directory.failureOf(this.named(question)));
      case 'log':
        return world.readingOf(this.named(question));
      default:
        return undefined;
    }
  }

  private told(question: Question): Message {
    const { definition } = this;
    if (question.ask === 'park') {
      this.world.park(this.self, this.named(question));
      return { type: 'request.waits' };
    }
    if (question.ask === 'createShape') return asks('@shape-cache', { type: question.ask, definition });
    const handle = this.named(question);
    if (question.ask === 'noteReader') return { type: 'request.tells', to: '@shape-cache', message: { type: question.ask, handle } };
    if (question.ask === 'awaitSnapshotStart') return asks(consumerOf(handle), { type: question.ask });
    this.world.strike([handle]);
    return asks('@shape-cache', { type: 'deleteShape', handle, why: 'request' });
  }

  private answerIn({ type, handle, error }: Message): string {
    switch (type) {
      case 'shape.created':
        return this.numberOf(handle as Handle);
      case 'snapshot.isStarted':
        return 'started';
      case 'snapshot.hasFailed':
        return statusOf(error);
      case 'reader.noted':
        return 'noted';
      case 'log.rotated':
        return 'rotated';
      default:
        return this.asks('deleteShape') && type !== 'asked.failed' ? 'told' : 'none';
    }
  }

  private asks(ask: Question['ask']): boolean {
    return 'question' in this.way && this.way.question.ask === ask;
  }

  private answer({ status, handle: number }: Exclude<Way, { readonly question: Question } | { readonly claim: string }>): RequestAnswer {
    if (number === undefined) return { status };
    const handle = this.handleAt(number);
    const wasGone = this.world.is.retired.slice(0, this.goneBefore).some((gone) => gone.handle === handle);
    return { status, handle, ...(wasGone ? { wasGone } : {}) };
  }

  private numberOf(handle: Handle | undefined): string {
    if (handle === undefined) return 'none';
    if (!this.handles.includes(handle)) this.handles = [...this.handles, handle];
    return String(this.handles.indexOf(handle));
  }

  private named(question: Question): Handle {
    invariant('handle' in question, 'the question names a handle');
    return this.handleAt(question.handle);
  }

  private handleAt(number: number): Handle {
    const handle = this.handles[number];
    invariant(handle !== undefined, 'the request has met the handle');
    return handle;
  }

  private sortOf(found: ShapeDefinition | undefined): string {
    if (found === undefined) return 'none';
    return definitionKey(found) === definitionKey(this.definition) ? 'asked' : 'another';
  }
}

function asks(to: Address, request: Message): Message {
  return { type: 'request.asks', to, request };
}

function statusOf(error: unknown): string {
  return error === undefined ? 'none' : String((error as { status?: number }).status);
}
