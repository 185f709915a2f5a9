/**
 * RequestWays: what the production code of a request asks, one thing after the other, and what it then answers. A search never
 * waits, and that code does at each `await`: so it is asked beforehand, with everything that it may be told at each place. What
 * comes of it is a tree.
 *
 * Handles are numbered in the order in which a request meets them.
 */
import { consumerOf } from '../../../src/actors/shape-processes.ts';
import { ShapeDirectory } from '../../../src/actors/directory/shape-directory.ts';
import type { ApiContext } from '../../../src/api/api-context.ts';
import { DefinitionCache } from '../../../src/api/definition-cache.ts';
import { deleteShape } from '../../../src/api/delete-shape.ts';
import { ShapeFollowers } from '../../../src/api/event-streams/shape-followers.ts';
import { StreamTimes } from '../../../src/api/event-streams/stream-times.ts';
import { explainSearches } from '../../../src/api/explain/explain-searches.ts';
import type { PollRead } from '../../../src/api/log-read.ts';
import { Shared, type Wake } from '../../../src/api/parking/wake.ts';
import type { ReadableLog, RelationLookup } from '../../../src/api/ports.ts';
import { readShape } from '../../../src/api/read-shape.ts';
import { SchemaTexts } from '../../../src/api/schema-texts.ts';
import { ShapeListeners } from '../../../src/api/shape-listeners.ts';
import { StartOffsets } from '../../../src/api/subsets/start-offsets.ts';
import type { RawParameters } from '../../../src/api/shape-parameters.ts';
import type { ShapeResponse } from '../../../src/api/shape-response.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { invariant, InvariantError } from '../../../src/base/invariant.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { Address, Message } from '../../../src/otp/process.ts';
import { CallError } from '../../../src/otp/runtime.ts';
import { servedShapes } from '../../../src/service/wiring/api-ports.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { TestStatus, TestExplains, TestSubsets } from '../../support/http/api-world.ts';
import { language, TABLES } from '../../support/layers/layered-shapes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf } from '../../support/shapes.ts';

/** `handle` is the number of one that the request has met. */
export type Question =
  /** Of the directory, for the definition that the request names. Answered by a number, or `none`. */
  | { readonly ask: 'find' | 'findReadable' }
  /** Of the directory: `none`, or whether it is the request's definition, `asked`, or `another`. */
  | { readonly ask: 'definitionOf'; readonly handle: number }
  /** Of the directory: whether no client has asked for it, `yes` or `no`. */
  | { readonly ask: 'isForOthers'; readonly handle: number }
  /** Of the directory: `none`, or a status. */
  | { readonly ask: 'failureOf'; readonly handle: number }
  /** What can be read: `gone`, `notStarted` or `entries`. */
  | { readonly ask: 'log'; readonly handle: number }
  /** Of the shape cache. Answered by a number, or `none`. */
  | { readonly ask: 'createShape' }
  /** Of the shape cache: `told`, or `none`. */
  | { readonly ask: 'deleteShape'; readonly handle: number }
  /** Of a Consumer: `started`, a status, or `none`. */
  | { readonly ask: 'awaitSnapshotStart'; readonly handle: number }
  /** Told to the shape cache: `noted`. */
  | { readonly ask: 'noteReader'; readonly handle: number }
  /** The request waits for a change: `rotated`. */
  | { readonly ask: 'park'; readonly handle: number };

export type Way =
  | { readonly question: Question; readonly next: ReadonlyMap<string, Way> }
  | { readonly status: number; readonly handle: number | undefined }
  | { readonly claim: string };

/** What is asked for: a read from the start, one that goes on from the end of a log, or a deletion. */
export type Purpose = 'read' | 'follow' | 'delete';

/** A request, without its handle and offset. */
export interface Request {
  readonly purpose: Purpose;
  readonly parameters: RawParameters;
  readonly asked: ShapeDefinition;
  /** Of which a handle may be that the request names. */
  readonly another: ShapeDefinition;
}

/** One that came before: what the service has worked out for it is no matter of answers. */
interface Repeated extends Request {
  readonly caches: Pick<ApiContext, 'definitions' | 'schemas' | 'starts'>;
}

export function wayOf(request: Request): Promise<Way> {
  const clock = new ManualClock();
  const caches = { definitions: new DefinitionCache(clock), schemas: new SchemaTexts(), starts: new StartOffsets(clock) };
  return wayBehind({ ...request, caches }, request.purpose === 'follow' ? 1 : 0, []);
}

async function wayBehind(request: Repeated, met: number, answers: readonly string[]): Promise<Way> {
  const came = await new Run(request, answers).begin();
  if (!('ask' in came)) return came;
  const next = new Map<string, Way>();
  for (const answer of answersTo(came, met)) {
    const knows = isHandle(came, answer) ? Math.max(met, Number(answer) + 1) : met;
    next.set(answer, await wayBehind(request, knows, [...answers, answer]));
  }
  return { question: came, next };
}

const ANSWERS = {
  definitionOf: ['none', 'asked', 'another'],
  isForOthers: ['no', 'yes'],
  noteReader: ['noted'],
  failureOf: ['none', '500', '503'],
  log: ['gone', 'notStarted', 'entries'],
  deleteShape: ['none', 'told'],
  awaitSnapshotStart: ['none', 'started', '409', '500', '503'],
  park: ['rotated'],
} as const;

/** @param met how many handles the request knows: one that it is told is one of them, or the next. */
function answersTo({ ask }: Question, met: number): readonly string[] {
  if (!isOfHandles(ask)) return ANSWERS[ask];
  return ['none', ...Array.from({ length: met + 1 }, (_, at) => String(at))];
}

/** Whether the answer is the number of a handle. */
function isHandle({ ask }: Question, answer: string): boolean {
  return isOfHandles(ask) && answer !== 'none';
}

function isOfHandles(ask: Question['ask']): ask is 'find' | 'findReadable' | 'createShape' {
  return ask === 'find' || ask === 'findReadable' || ask === 'createShape';
}

type End = Exclude<Way, { readonly question: Question }>;

/** For whoever asks at once what has no answer: the run is over. */
class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** One run of a request's code, as far as the answers go. */
class Run {
  private taken = 0;
  private tell: (question: Question) => void = () => {};

  constructor(
    private readonly request: Repeated,
    private readonly answers: readonly string[],
  ) {}

  /** @returns what is asked when all answers are used up, or how the request ends. */
  begin(): Promise<Question | End> {
    const asked = new Promise<Question>((resolve) => {
      this.tell = resolve;
    });
    return Promise.race([asked, this.end()]);
  }

  private async end(): Promise<End> {
    try {
      return endOf(await this.response());
    } catch (error) {
      if (error instanceof InvariantError) return { claim: error.message };
      if (!(error instanceof UnansweredError)) throw error;
      return new Promise(() => {}); // What was asked is told.
    }
  }

  private async response(): Promise<ShapeResponse> {
    const { purpose, parameters } = this.request;
    const context = this.context();
    if (purpose === 'delete') return deleteShape(context, parameters);
    const place = purpose === 'read' ? { offset: '-1' } : { offset: SNAPSHOT_END, handle: handleOf(0), live: 'true' };
    const permit = { promote: () => {}, release: () => {} };
    const { signal } = new AbortController();
    return readShape(context, { parameters: { ...parameters, ...place }, ifNoneMatch: undefined, permit, signal });
  }

  private now(question: Question): string {
    const answer = this.answers[this.taken];
    this.taken += 1;
    if (answer !== undefined) return answer;
    this.tell(question);
    throw new UnansweredError(question.ask);
  }

  private later(question: Question): Promise<string> {
    return this.taken < this.answers.length ? Promise.resolve(this.now(question)) : new Promise(() => this.tell(question));
  }

  private context(): ApiContext {
    const clock = new ManualClock();
    const directory = new AskedDirectory((question) => this.now(question), this.request);
    const ports = {
      // What is answered at once asks the same, of one moment.
      relations: { relation: lookUp, relationNow: lookUp, isCurrent: () => false },
      zones: { zone: () => Promise.resolve(undefined) },
      shapes: servedShapes(
        { call: (to, request) => this.call(to, request), send: (_, message) => this.send(message) },
        () => directory,
        { note: () => {} },
        { hasRoom: () => true },
      ),
      logs: {
        get: (handle: Handle) => this.log(handle),
        isGone: () => false,
        isStalled: () => false,
        elsewhereOf: () => undefined,
        damageOf: () => undefined,
      },
      status: new TestStatus(clock),
      language,
      subsets: new TestSubsets(),
      explain: new TestExplains(() => undefined),
      lastProcessedLsn: () => undefined,
    };
    const listeners = new AskedListeners(clock, (handle) => this.later({ ask: 'park', handle: numberOf(handle) }));
    const settings = {
      longPollTimeoutMs: 20_000,
      readinessTimeoutMs: 5_000,
      maxConcurrentRequests: { initial: 1, existing: 1 },
      cache: { maxAgeSeconds: 60, staleAgeSeconds: 300 },
      isDeletionEnabled: true,
    };
    const followers = new ShapeFollowers(() => undefined);
    const streamTimes = new StreamTimes(clock);
    const random = seededRandom(1);
    return { ports, settings, listeners, followers, streamTimes, ...this.request.caches, searches: explainSearches(), clock, random };
  }

  private log(handle: Handle): ReadableLog | undefined {
    const answer = this.now({ ask: 'log', handle: numberOf(handle) });
    if (answer === 'gone') return undefined;
    const entries = { outcome: 'entries', runs: [], end: SNAPSHOT_END, upToDate: true } as const;
    const read = () => (answer === 'entries' ? entries : ({ outcome: 'notStarted' } as const));
    return { handle, end: SNAPSHOT_END, waitsAt: undefined, reached: LSN_ZERO, outcome: () => read().outcome, read };
  }

  private send({ handle }: Message): void {
    this.now({ ask: 'noteReader', handle: numberOf(handle as Handle) });
  }

  private async call(to: Address, request: Message): Promise<Message> {
    const question = questionOf(to, request);
    const answer = await this.later(question);
    if (answer === 'none') throw new CallError(to, request.type, 'noproc');
    if (question.ask === 'createShape') return { type: 'shape.created', handle: handleOf(Number(answer)) };
    if (question.ask === 'deleteShape') return { type: 'shape.deleted' };
    return answer === 'started' ? { type: 'snapshot.isStarted' } : { type: 'snapshot.hasFailed', error: fault(answer) };
  }
}

class AskedDirectory extends ShapeDirectory {
  constructor(
    private readonly ask: (question: Question) => string,
    private readonly of: Request,
  ) {
    super({
      shapeLogs: memoryStorage().shapes,
      clock: new ManualClock(),
      faultOf: () => undefined,
      mayRest: () => false,
      rotated: () => {},
      clone: uncopied('a request that runs'),
    });
  }

  override find(): Handle | undefined {
    return handleIn(this.ask({ ask: 'find' }));
  }

  override findReadable(): Handle | undefined {
    return handleIn(this.ask({ ask: 'findReadable' }));
  }

  override definitionOf(handle: Handle): ShapeDefinition | undefined {
    const answer = this.ask({ ask: 'definitionOf', handle: numberOf(handle) });
    if (answer === 'none') return undefined;
    return answer === 'asked' ? this.of.asked : this.of.another;
  }

  override isForOthers(handle: Handle): boolean {
    return this.ask({ ask: 'isForOthers', handle: numberOf(handle) }) === 'yes';
  }

  override failureOf(handle: Handle): unknown {
    const answer = this.ask({ ask: 'failureOf', handle: numberOf(handle) });
    return answer === 'none' ? undefined : fault(answer);
  }
}

class AskedListeners extends ShapeListeners<PollRead> {
  constructor(
    clock: ManualClock,
    private readonly ask: (handle: Handle) => Promise<string>,
  ) {
    super(clock);
  }

  override async park(handle: Handle): Promise<Wake<PollRead>> {
    await this.ask(handle);
    return { cause: 'rotated', replacement: undefined, answer: new Shared() };
  }
}

async function lookUp(schema: string, name: string): Promise<RelationLookup> {
  const relation = TABLES.find((table) => table.schema === schema && table.name === name);
  return relation === undefined ? { outcome: 'missing' } : { outcome: 'found', relation };
}

function questionOf(to: Address, { type, handle }: Message): Question {
  if (type === 'createShape') return { ask: type };
  if (type === 'deleteShape') return { ask: type, handle: numberOf(handle as Handle) };
  invariant(type === 'awaitSnapshotStart', `a request asks for ${type}`);
  return { ask: type, handle: numberOf(to.slice(consumerOf('' as Handle).length) as Handle) };
}

function endOf(response: ShapeResponse): End {
  invariant(response.kind !== 'abandoned', 'nobody gives up');
  const handle = 'handle' in response && response.handle !== undefined ? numberOf(response.handle) : undefined;
  return { status: response.status, handle };
}

function handleIn(answer: string): Handle | undefined {
  return answer === 'none' ? undefined : handleOf(Number(answer));
}

function numberOf(handle: Handle): number {
  return Number(handle.split('-')[0]);
}

function fault(status: string) {
  return { code: 'failed', message: 'it failed', status: Number(status) };
}
