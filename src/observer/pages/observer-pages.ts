/**
 * ObserverPages: what is answered below `/_observer`. Every path is compared exactly, as it came: no other spelling of one is a
 * path, so none can pass by the guard. Nobody gets anything who may not look; not even whether there is a page.
 */
import type { Address } from '../../otp/process.ts';
import type { Forms } from '../forms.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { ObserverSources } from '../sources.ts';
import type { EndView } from '../views/events.ts';
import { Guard } from './guard.ts';
import { errorAnswer, eventsAnswer, fileAnswer, jsonAnswer, notThereAnswer } from './page-answers.ts';
import type { PageAnswer, PageRequest } from '../../api/page.ts';
import type { LiveBody } from '../../api/shape-response.ts';
import { InvalidParameterError, Parameters } from './parameters.ts';
import { topicStream } from './topic-stream.ts';
import { NotThereError } from './topics.ts';

const ROOT = '/_observer';
const API = `${ROOT}/api/`;
const EVENTS = `${ROOT}/events`;
const END = `${API}end`;
const TOPICS_MAX = 16;
const STREAMS_MAX = 16;
const DEATHS_PAGE_MAX = 200;
/** No form of another site can send it, and no script without being asked for it first. */
const END_HEADER = { name: 'x-armature-observer', value: 'end' };

/** Forms without a parameter, and what a form is about. */
const WHOLE: ReadonlySet<string> = new Set(['service', 'tree', 'populations']);
const SUBJECTS: Readonly<Partial<Record<string, string>>> = { process: 'pid', population: 'kind', shape: 'handle' };

type Answering = (parameters: Parameters) => object | Promise<object>;

interface PagesOptions {
  readonly secret: string | undefined;
  readonly canEnd: boolean;
}

export class ObserverPages {
  private readonly guard: Guard;
  private readonly forms: Forms;
  private readonly recorder: Recorder;
  private readonly closing = new AbortController();
  private readonly answers: Readonly<Record<string, Answering>>;
  private streams = 0;

  constructor(
    private readonly sources: ObserverSources,
    private readonly options: PagesOptions,
    kept: { readonly forms: Forms; readonly recorder: Recorder },
  ) {
    this.guard = new Guard(options.secret);
    this.forms = kept.forms;
    this.recorder = kept.recorder;
    this.answers = answersOf(kept.forms, kept.recorder);
  }

  /** @returns undefined for what is neither the front page nor below `/_observer`. */
  answer(request: PageRequest): PageAnswer | undefined | Promise<PageAnswer | undefined> {
    const { path } = request;
    if (path !== ROOT && !path.startsWith(`${ROOT}/`)) return this.front(request);
    const isPage = !path.startsWith(API) && path !== EVENTS;
    const exchanged = isPage && isReading(request) ? this.guard.exchange(request) : undefined;
    return exchanged ?? this.guard.refusalOf(request, isPage) ?? this.guarded(request);
  }

  /** The front page says what this is, and nothing of what it does: everybody may read it. */
  private front(request: PageRequest): PageAnswer | undefined {
    const file = isReading(request) ? this.sources.file(request.path) : undefined;
    return file && fileAnswer(file);
  }

  close(): void {
    this.closing.abort();
  }

  private async guarded(request: PageRequest): Promise<PageAnswer> {
    try {
      return await this.found(request);
    } catch (error) {
      if (error instanceof InvalidParameterError) return errorAnswer(400, 'invalid_parameter', `${error.message}.`);
      if (error instanceof NotThereError) return errorAnswer(404, error.code, error.message);
      throw error;
    }
  }

  private async found(request: PageRequest): Promise<PageAnswer> {
    const { path, query, method } = request;
    if (path === END && method === 'POST' && this.options.canEnd) return this.end(request);
    if (!isReading(request)) return nothing();
    if (path === EVENTS) return this.follow(request);
    if (!path.startsWith(API)) return this.page(path);
    const name = path.slice(API.length);
    const answering = Object.hasOwn(this.answers, name) ? this.answers[name] : undefined;
    if (answering === undefined) return nothing();
    return (await this.kept(name, query)) ?? jsonAnswer(JSON.stringify(await answering(new Parameters(query))), headersOf(name));
  }

  /** What streams follow is made as seldom for who asks again and again. */
  private async kept(name: string, query: URLSearchParams): Promise<PageAnswer | undefined> {
    const { topics } = this.forms;
    const topic = topicOf(name, query);
    if (topic === undefined || !topics.has(topic)) return undefined;
    this.look([topic]);
    const { json, isThere } = await topics.form(topic);
    return isThere ? jsonAnswer(json) : notThereAnswer(json);
  }

  private page(path: string): PageAnswer {
    const file = this.sources.file(path);
    return file === undefined ? nothing() : fileAnswer(file);
  }

  private follow({ query, signal, method }: PageRequest): PageAnswer {
    const { topics } = this.forms;
    const asked = [...new Set(new Parameters(query).texts('topic', TOPICS_MAX))];
    if (asked.length === 0) throw new InvalidParameterError('"topic" is missing');
    const unknown = asked.find((topic) => !topics.has(topic));
    if (unknown !== undefined) throw new InvalidParameterError('"topic" names none that there is');
    if (method === 'HEAD') return eventsAnswer({ flow: (_sink, over) => over() });
    if (this.streams >= STREAMS_MAX) return errorAnswer(503, 'too_many_streams', `${STREAMS_MAX} streams are open already.`);
    const ports = { topics, clock: this.sources.clock, looked: () => this.look(asked) };
    const stream = topicStream(asked, ports, AbortSignal.any([signal, this.closing.signal]));
    return eventsAnswer(this.counted(stream));
  }

  /** A stream that never flows, since its client has gone before, is none. */
  private counted(stream: LiveBody): LiveBody {
    return {
      flow: (sink, over) => {
        this.streams += 1;
        stream.flow(sink, (failure) => {
          this.streams -= 1;
          over(failure);
        });
      },
    };
  }

  /** Of a tree or a plot nothing is recorded. */
  private look(topics: readonly string[]): void {
    if (topics.some((topic) => /^(process|population|shape):|^deaths$/.test(topic))) this.recorder.look();
  }

  /** In the demo alone: so that somebody can see what supervision makes of it. */
  private end({ query, headers }: PageRequest): PageAnswer {
    if (headers[END_HEADER.name] !== END_HEADER.value) {
      return errorAnswer(403, 'header_missing', `The header ${END_HEADER.name}: ${END_HEADER.value} is missing.`);
    }
    const { runtime } = this.sources;
    const info = runtime.processInfo(new Parameters(query).required('pid') as Address);
    if (info === undefined) throw new NotThereError('unknown_process', 'There is no such process, or not any more.');
    const isRoot = info.parent === undefined || runtime.processInfo(info.parent) === undefined;
    if (isRoot) throw new InvalidParameterError('"pid" is that of a root, which nobody would start again');
    runtime.exit(info.pid, 'kill');
    const view: EndView = { pid: info.pid, ended: true };
    return jsonAnswer(JSON.stringify(view));
  }
}

function answersOf(forms: Forms, recorder: Recorder): Readonly<Record<string, Answering>> {
  const recorded = (answering: Answering): Answering => (parameters) => {
    recorder.look();
    return answering(parameters);
  };
  return {
    service: () => forms.service(),
    tree: () => forms.tree(),
    processes: (parameters) => forms.processes(parameters),
    process: recorded((parameters) => forms.process(parameters.required('pid'))),
    populations: () => forms.populations(),
    population: recorded((parameters) => forms.population(parameters.required('kind'))),
    chart: (parameters) => forms.chart(parameters.required('machine')),
    deaths: (parameters) => forms.deaths(parameters.page(DEATHS_PAGE_MAX)),
    messages: recorded((parameters) => forms.messages(parameters)),
    shapes: (parameters) => forms.shapes(parameters),
    shape: recorded((parameters) => forms.shape(parameters.required('handle'))),
    plots: (parameters) => forms.plots(parameters.number('minutes', { least: 0.1, most: 10 }) ?? 10),
    postgres: () => forms.postgres(),
    scenario: recorded((parameters) => forms.scenario(parameters)),
  };
}

/** Undefined when more is asked than a stream would give. Others than these have parameters of their own. */
function topicOf(name: string, query: URLSearchParams): string | undefined {
  const subjectName = SUBJECTS[name];
  if (subjectName === undefined) return WHOLE.has(name) ? name : undefined;
  const subject = new Parameters(query).text(subjectName);
  return subject && `${name}:${subject}`;
}

function headersOf(name: string): readonly string[] {
  return name === 'scenario' ? ['content-disposition', 'attachment; filename="armature-window.json"'] : [];
}

function isReading({ method }: PageRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function nothing(): PageAnswer {
  return errorAnswer(404, 'not_found', 'There is nothing here.');
}
