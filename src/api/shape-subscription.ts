/**
 * ShapeSubscription: a shape as a program in the same process follows it: the way of a request, without a socket.
 *
 * It asks for the next messages when the last ones were taken, so who reads slowly holds one answer and no more; that is parsed in steps,
 * and between two of them others have a turn. It reads as any client
 * does: from the start up to the end of the log, then it waits there; and starts over where its shape is over.
 */
import type { Clock } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import { isOurFault } from '../base/our-fault.ts';
import { pause } from '../base/pause.ts';
import type { Api } from './api.ts';
import { messageStretches } from './message-stretches.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { ShapeMessage } from './shape-message.ts';
import type { RawParameters } from './shape-parameters.ts';
import { isInMemory, isLive, type LogAnswer, type ShapeResponse } from './shape-response.ts';

/** The request was refused, and would be again: nothing was read. */
export class ShapeRequestError extends Error {
  override readonly name = 'ShapeRequestError';

  constructor(
    /** That of HTTP: 400 for what was asked, 500 for what went wrong here. */
    readonly status: number,
    /** What the wire tells, parsed. */
    readonly body: unknown,
  ) {
    super(`The shape was refused (${status}): ${JSON.stringify(body)}`);
  }
}

export interface SubscriptionPorts {
  readonly api: Pick<Api, 'admit' | 'readShape'>;
  readonly clock: Clock;
}

/** Where a reader stands. */
interface Place {
  readonly offset: string;
  readonly handle: string | undefined;
  readonly live: boolean;
}

const START: Place = { offset: '-1', handle: undefined, live: false };
const PAUSE_SECONDS = 1;

/**
 * Ends in good order when `signal` is aborted.
 *
 * @param parameters of the shape, as a request has them.
 * @throws {ShapeRequestError}
 */
export async function* subscription(
  ports: SubscriptionPorts,
  parameters: RawParameters,
  signal: AbortSignal,
): AsyncGenerator<ShapeMessage, void, undefined> {
  let place = START;
  while (!signal.aborted) {
    const step = await next(ports, parameters, place, signal);
    if (step.pauseSeconds !== undefined) await pause(ports.clock, step.pauseSeconds * 1000, signal);
    place = step.place;
    let isFirst = true;
    for (const stretch of step.stretches) {
      if (!isFirst) await pause(ports.clock, 0, signal);
      isFirst = false;
      for (const message of stretch) {
        if (signal.aborted) return;
        yield message;
      }
    }
  }
}

interface Step {
  /** Of its messages, each parsed when it is asked for. */
  readonly stretches: Iterable<readonly ShapeMessage[]>;
  readonly place: Place;
  /** Before the next one. */
  readonly pauseSeconds?: number;
}

async function next({ api }: SubscriptionPorts, parameters: RawParameters, place: Place, signal: AbortSignal): Promise<Step> {
  const permit = api.admit(place.handle);
  if (isRefusal(permit)) return refused(permit, place);
  try {
    const { offset, handle, live } = place;
    const asked = { ...parameters, offset, live, ...(handle === undefined ? {} : { handle }) };
    return await stepOf(await api.readShape({ parameters: asked, ifNoneMatch: undefined, permit, signal }), place);
  } finally {
    permit.release();
  }
}

async function stepOf(answer: ShapeResponse, place: Place): Promise<Step> {
  if (answer.kind === 'abandoned') return { stretches: [], place };
  if (isRefusal(answer)) return refused(answer, place);
  invariant(answer.kind === 'log', 'who follows a shape asks for its log');
  return taken(answer, place);
}

/** The end of a wait in which nothing came is not told: nothing has changed. */
async function taken({ handle, offset, upToDate, hasData, body }: LogAnswer, place: Place): Promise<Step> {
  invariant(!isLive(body), 'no event stream was asked for');
  const next = { handle, offset, live: upToDate };
  if (!hasData) return { stretches: [], place: next };
  try {
    const pieces: Uint8Array[] = [];
    if (isInMemory(body)) pieces.push(...body);
    else for await (const piece of body) pieces.push(piece);
    return { stretches: messageStretches(Buffer.concat(pieces)), place: next };
  } catch (error) {
    // Its shape has ended while it was read, or its bytes are damaged: who asks again hears of it.
    if (error instanceof Error && !isOurFault(error)) return { stretches: [], place, pauseSeconds: PAUSE_SECONDS };
    throw error;
  }
}

function refused({ status, body, handle, retryAfterSeconds }: Refusal, place: Place): Step {
  const told: unknown = JSON.parse(body);
  if (status === 409) return { stretches: [told as ShapeMessage[]], place: { ...START, handle } };
  if (status === 503) return { stretches: [], place, pauseSeconds: retryAfterSeconds ?? PAUSE_SECONDS };
  throw new ShapeRequestError(status, told);
}
