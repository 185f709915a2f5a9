/**
 * Outside: the code around the processes, as processes see it: the parent of the roots, and a sender and caller that has
 * no machine. It waits by promises, and what settles them comes through a mailbox as for any process.
 */
import type { Behaviour, Entry, Source } from './entry.ts';
import { describeReason } from './error-report.ts';
import type { ExitReason, Message, Pid } from '../process.ts';
import { limitStart } from './starts.ts';

/** A root process did not come up. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** `ignore`: it had nothing to do. `timeout`: it took too long, and was killed. */
  readonly reason: ExitReason | 'ignore' | 'timeout';

  constructor(id: string, reason: ExitReason | 'ignore' | 'timeout') {
    super(`${id} did not start: ${describeReason(reason)}`);
    this.reason = reason;
  }
}

interface AwaitedStart {
  readonly resolve: (pid: Pid) => void;
  readonly reject: (error: StartError) => void;
  isLate: boolean;
}

const awaitedStarts = new WeakMap<Entry, AwaitedStart>();

export function whenStarted(root: Entry, timeoutMs?: number): Promise<Pid> {
  return new Promise((resolve, reject) => {
    const awaited: AwaitedStart = { resolve, reject, isLate: false };
    awaitedStarts.set(root, awaited);
    limitStart(root, timeoutMs, () => (awaited.isLate = true));
  });
}

export const outsideBehaviour: Behaviour = {
  init: () => undefined,
  receive: (_entry: Entry, source: Source, message: Message) => {
    const root = source as Entry;
    const awaited = awaitedStarts.get(root);
    if (awaited === undefined || (awaited.isLate && message.type !== 'EXIT')) return;
    if (awaited.isLate) awaited.reject(new StartError(root.id, 'timeout'));
    else if (message.type === 'STARTED') awaited.resolve(root.pid);
    else if (message.type === 'IGNORED') awaited.reject(new StartError(root.id, 'ignore'));
    else awaited.reject(new StartError(root.id, message.reason as ExitReason));
  },
  stop: () => undefined,
  fail: () => undefined,
  dispose: () => undefined,
  state: () => 'outside',
};
