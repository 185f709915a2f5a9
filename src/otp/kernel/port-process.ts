/**
 * PortProcess: the behaviour of a process that owns a resource of the world.
 *
 * What must never happen: an answer to a caller that gave up, and a resource that stays open behind a dead process. So
 * each request has its own AbortSignal, aborted with its call; and a port that ends, however it ends, closes first. `kill`
 * does not wait for the close. When the port has failed by itself, the close has `CLOSE_MS_MAX`. A synchronous answer is
 * sent without a promise, so that a simulation can choose when it arrives.
 */
import { createActor } from 'xstate';
import { reply } from './calls.ts';
import { adopt, type Behaviour, type Entry, type Source } from './entry.ts';
import { crash, inJson } from './error-report.ts';
import {
  isMessage, isPortSpec, type ExitReason, type Message, type PortContext, type PortHandle, type PortSpec, type ReplyTo,
} from '../process.ts';
import { limitLife } from './process-timers.ts';
import { acknowledgeStart } from './starts.ts';
import { putFirst } from './suspension.ts';
import { inert, stopActor } from './xstate-seam.ts';

const CLOSE_MS_MAX = 5_000;

/** The port has no request and no cast of this type. */
export class UnknownRequestError extends Error {
  override readonly name = 'UnknownRequestError';
}

interface PortState {
  readonly abort: AbortController;
  handle: PortHandle | undefined;
  /** Why it ends; set once, when it begins to end. */
  ending: ExitReason | undefined;
  closed: boolean;
  readonly requests: Set<AbortController>;
}

const states = new WeakMap<Entry, PortState>();

export const portBehaviour: Behaviour = { init, receive, stop, fail, dispose, state };

function init(entry: Entry): void {
  const { kernel } = entry;
  const port: PortState = { abort: new AbortController(), handle: undefined, ending: undefined, closed: false, requests: new Set() };
  states.set(entry, port);
  adopt(createActor(inert, { id: entry.pid, parent: entry.parent?.actor ?? kernel.system.node }), entry);
  entry.actor?.start();
  try {
    const opened = specOf(entry).open(contextOf(entry, port));
    if (!(opened instanceof Promise)) onOpen(entry, port, opened);
    else opened.then((handle) => onOpen(entry, port, handle)).catch((thrown: unknown) => onOpenFailed(entry, port, thrown));
  } catch (thrown) {
    onOpenFailed(entry, port, thrown);
  }
}

function contextOf(entry: Entry, port: PortState): PortContext {
  return {
    self: entry.pid,
    signal: port.abort.signal,
    send(to, message) {
      const target = entry.alive ? entry.kernel.resolve(to) : undefined;
      if (target !== undefined) entry.kernel.enqueue(target, { kind: 'message', source: entry, message });
    },
    exit: (error) => fail(entry, error === undefined ? 'normal' : crash(error)),
  };
}

function onOpen(entry: Entry, port: PortState, handle: PortHandle | 'ignore'): void {
  if (handle === 'ignore') {
    onIgnore(entry, port);
    return;
  }
  port.handle = handle;
  if (port.ending !== undefined) {
    close(entry, port); // Told to stop, or killed, while it opened.
    return;
  }
  entry.started = true;
  acknowledgeStart(entry, 'STARTED');
  putFirst(entry, entry.postponed);
  entry.postponed = [];
  entry.kernel.schedule(entry);
}

function onIgnore(entry: Entry, port: PortState): void {
  if (port.ending === undefined) acknowledgeStart(entry, 'IGNORED');
  entry.kernel.end(entry, port.ending ?? 'normal');
}

/** A port that was told to stop while it opened ends for that reason. That it could not open may follow from it. */
function onOpenFailed(entry: Entry, port: PortState, thrown: unknown): void {
  entry.kernel.end(entry, port.ending ?? crash(thrown));
}

function receive(entry: Entry, source: Source, message: Message): void {
  const port = portOf(entry);
  if (port.ending !== undefined) return;
  if (port.handle === undefined) {
    entry.postponed.push({ kind: 'message', source, message }); // Until it is open.
    return;
  }
  const { kernel } = entry;
  kernel.tracer?.({ type: 'deliver', from: source.pid, to: entry.pid, message });
  if (entry.actor !== undefined) kernel.system.deliver(source.actor, entry.actor, message);
  entry.noteHandled();
  try {
    handle(entry, port, port.handle, message);
  } catch (thrown) {
    fail(entry, crash(thrown));
  }
}

function handle(entry: Entry, port: PortState, handle: PortHandle, message: Message): void {
  const { requests, casts, atOnce } = handle;
  const request = ownOf(requests, message.type);
  if (request === undefined) {
    const cast = ownOf(casts, message.type);
    if (cast === undefined) throw new UnknownRequestError(`port ${entry.pid} has no request or cast '${message.type}'`);
    cast(message);
    return;
  }
  const replyTo = message.replyTo as ReplyTo | undefined;
  const opened = replyTo === undefined ? undefined : entry.kernel.calls.get(replyTo);
  if (replyTo !== undefined && opened === undefined) {
    handle.abandoned?.(message); // The caller has given up: nobody wants the answer.
    return;
  }
  const known = ownOf(atOnce, message.type)?.(message);
  if (known !== undefined) {
    if (replyTo !== undefined) answerWith(entry, replyTo, known);
    return;
  }
  const abort = new AbortController();
  if (opened !== undefined) opened.abort = abort;
  const answer = request(message, abort.signal);
  if (answer instanceof Promise) awaitAnswer(entry, port, replyTo, answer, abort);
  else if (replyTo !== undefined) answerWith(entry, replyTo, answer);
}

/** The entry for `type` that the port wrote down, and nothing that every object has, `constructor` for one. */
function ownOf<Kind>(kinds: Readonly<Record<string, Kind>> | undefined, type: string): Kind | undefined {
  return kinds !== undefined && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

/** An answer that is no message is a fault of the port, and not of its caller. */
function answerWith(entry: Entry, to: ReplyTo, answer: Message): void {
  if (isMessage(answer)) reply(entry, to, answer);
  else fail(entry, crash(new TypeError(`port ${entry.pid} answered with ${inJson(answer)}, which is no message`)));
}

function awaitAnswer(entry: Entry, port: PortState, replyTo: ReplyTo | undefined, answer: Promise<Message>, abort: AbortController): void {
  port.requests.add(abort);
  const isOver = (): void => void port.requests.delete(abort);
  answer.then(isOver, isOver);
  answer.then(
    (message) => {
      if (entry.alive && replyTo !== undefined) answerWith(entry, replyTo, message);
    },
    (thrown: unknown) => {
      // A request that was aborted may reject: that is how it gives up.
      if (entry.alive && !abort.signal.aborted) fail(entry, crash(thrown));
    },
  );
}

/** The port fails by itself: a close that hangs must not delay its end without limit. */
function fail(entry: Entry, reason: ExitReason): void {
  if (!entry.alive || states.get(entry)?.ending !== undefined) return;
  stop(entry, reason);
  if (entry.alive) limitLife(entry, CLOSE_MS_MAX, () => entry.kernel.end(entry, reason));
}

function stop(entry: Entry, reason: ExitReason): void {
  const port = states.get(entry);
  if (port === undefined) {
    entry.kernel.end(entry, reason);
    return;
  }
  if (port.ending !== undefined) return;
  port.ending = reason;
  abortAll(port);
  // One that is still opening ends when `open` has settled.
  if (port.handle !== undefined) close(entry, port);
}

function close(entry: Entry, port: PortState): void {
  if (port.closed) return;
  port.closed = true;
  const reason = port.ending ?? 'normal';
  try {
    const closing = port.handle?.close?.();
    if (closing instanceof Promise) {
      closing.then(
        () => entry.kernel.end(entry, reason),
        (thrown: unknown) => entry.kernel.end(entry, crash(thrown)),
      );
      return;
    }
    entry.kernel.end(entry, reason);
  } catch (thrown) {
    entry.kernel.end(entry, crash(thrown));
  }
}

/** A port that was killed closes too, but nobody waits for it. */
function dispose(entry: Entry): void {
  const port = states.get(entry);
  if (entry.actor !== undefined) stopActor(entry.actor);
  if (port === undefined) return;
  port.ending ??= 'killed';
  abortAll(port);
  if (port.handle !== undefined) close(entry, port);
}

function abortAll(port: PortState): void {
  port.abort.abort();
  for (const request of port.requests) request.abort();
}

function state(entry: Entry): unknown {
  const port = states.get(entry);
  if (port === undefined) return 'unborn';
  if (port.ending !== undefined) return 'closing';
  return port.handle === undefined ? 'opening' : 'open';
}

function portOf(entry: Entry): PortState {
  const port = states.get(entry);
  if (port === undefined) throw new TypeError(`${entry.pid} is not a port that was started`);
  return port;
}

function specOf(entry: Entry): PortSpec {
  const { spec } = entry;
  if (spec === undefined || !isPortSpec(spec)) throw new TypeError(`${entry.pid} is not a port`);
  return spec;
}
