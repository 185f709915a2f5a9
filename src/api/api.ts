/**
 * Api: serving shapes, without HTTP. What a server in front of it needs, and what the processes behind it tell it.
 *
 * A request is admitted before anything of it is parsed. Whoever asked for the permit releases it when the last byte of
 * the answer is gone.
 */
import type { Clock } from '../base/clock.ts';
import type { NowOrLater } from '../base/now-or-later.ts';
import type { Random } from '../base/random.ts';
import type { Handle } from '../model/shape.ts';
import { Admission, type AdmissionClass, type Permit } from './admission.ts';
import type { ApiContext, ApiSettings } from './api-context.ts';
import { DefinitionCache } from './definition-cache.ts';
import { SchemaTexts } from './schema-texts.ts';
import { deleteShape } from './delete-shape.ts';
import { explainShape } from './explain/explain-shape.ts';
import { explainSearches } from './explain/explain-searches.ts';
import { readTransaction } from './explain/read-txid.ts';
import type { ToldAnswer } from './explain/told-answer.ts';
import { sharedEvents } from './event-streams/log-events.ts';
import { ShapeFollowers } from './event-streams/shape-followers.ts';
import { StreamTimes } from './event-streams/stream-times.ts';
import type { ApiPorts, LimitsStanding, ServiceLevel, ShapeAnnouncements } from './ports.ts';
import type { ReadRequest } from './read-request.ts';
import { readOrWait, readShape } from './read-shape.ts';
import type { Refusal } from './refusal.ts';
import { ShapeListeners } from './shape-listeners.ts';
import type { RawParameters } from './shape-parameters.ts';
import type { ShapeResponse } from './shape-response.ts';
import { StartOffsets } from './subsets/start-offsets.ts';
import type { WaitingPoll } from './waiting-poll.ts';

export interface Api {
  /** @param handle the one that the request names. */
  admit(handle: string | undefined): Permit | Refusal;
  /** At once where nobody has to be waited for. */
  readShape(request: ReadRequest): NowOrLater<ShapeResponse>;
  /** Likewise, for whoever may have very many who wait: a long-poll is given its answer later, and nothing but it is held until then. */
  readOrWait(request: ReadRequest): NowOrLater<ShapeResponse> | WaitingPoll;
  deleteShape(parameters: RawParameters): Promise<ShapeResponse>;
  /** Why a row is in a shape, or is not. @param signal aborted when nobody waits any longer. */
  explainShape(parameters: RawParameters, signal: AbortSignal): Promise<ToldAnswer | Refusal>;
  /** Where a transaction stands for a shape. @param number as the request has it. @param signal likewise. */
  readTransaction(number: string, parameters: RawParameters, signal: AbortSignal): Promise<ToldAnswer | Refusal>;
  level(): ServiceLevel;
  /** Whether stored shapes can be read, and what is missing for more. */
  standing(): { readonly isReadable: boolean; readonly why: string | undefined };
  /** Why it is not active: as `ServiceStatus` has it. */
  cause(isTrusted: boolean): Promise<string | undefined>;
  /** What is used of the limits of the storage; undefined where none is set. */
  limits(): LimitsStanding | undefined;
  /** Whom to tell when a log has grown or ended. */
  readonly announcements: ShapeAnnouncements;
  /** How many permits are held, and how many requests, event streams included, wait for a shape to change: for metrics and tests. */
  load(): Readonly<Record<AdmissionClass | 'parked', number>>;
  /** Requests under way, without those that wait for a shape to change: an event stream counts for as long as it is open. */
  answering(): number;
  /** How many requests, event streams included, wait for this shape to change. */
  readersOf(handle: Handle): number;
  /** How many requests were refused since the start because too many were under way. */
  refusals(): Readonly<Record<AdmissionClass, number>>;
}

export function createApi(ports: ApiPorts, settings: ApiSettings, clock: Clock, random: Random): Api {
  const admission = new Admission(settings.maxConcurrentRequests, random);
  const listeners: ApiContext['listeners'] = new ShapeListeners(clock);
  const followers = new ShapeFollowers((handle, after) => sharedEvents(ports.logs, handle, after));
  const streamTimes = new StreamTimes(clock);
  const kept = { definitions: new DefinitionCache(clock), schemas: new SchemaTexts(), starts: new StartOffsets(clock) };
  const context: ApiContext = { ports, settings, listeners, followers, streamTimes, ...kept, searches: explainSearches(), clock, random };
  return {
    admit: (handle) => admission.acquire(isKnown(ports, handle) ? 'existing' : 'initial'),
    readShape: (request) => readShape(context, request),
    readOrWait: (request) => readOrWait(context, request),
    deleteShape: (parameters) => deleteShape(context, parameters),
    explainShape: (parameters, signal) => explainShape(context, parameters, signal),
    readTransaction: (number, parameters, signal) => readTransaction(context, number, parameters, signal),
    level: () => ports.status.level(),
    standing: () => ({ isReadable: ports.status.isReadable(), why: ports.status.whyNotReady()?.message }),
    cause: (isTrusted) => ports.status.cause(isTrusted),
    limits: () => ports.status.limits(),
    announcements: toEach([listeners, followers]),
    answering: () => admission.held('initial') + admission.held('existing') - listeners.parkedCount,
    readersOf: (handle) => listeners.parkedOn(handle) + followers.countOf(handle),
    load: () => ({
      initial: admission.held('initial'),
      existing: admission.held('existing'),
      parked: listeners.parkedCount + followers.count,
    }),
    refusals: () => ({ initial: admission.refusals('initial'), existing: admission.refusals('existing') }),
  };
}

function isKnown({ shapes }: ApiPorts, handle: string | undefined): boolean {
  return handle !== undefined && shapes.definitionOf(handle as Handle) !== undefined;
}

function toEach(hearers: readonly ShapeAnnouncements[]): ShapeAnnouncements {
  return {
    announce(handle, end) {
      let isAwaited = false;
      for (const hearer of hearers) isAwaited = hearer.announce(handle, end) || isAwaited;
      return isAwaited;
    },
    rotate(handle, replacement) {
      for (const hearer of hearers) hearer.rotate(handle, replacement);
    },
  };
}
