/** Runs one port without a runtime, for tests of the port alone: requests as calls, what it sends as a list. */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address, Message, Pid, PortHandle, PortSpec } from '../../../src/otp/process.ts';

export interface RunningPort {
  ask(request: Message, signal?: AbortSignal): Promise<Message>;
  tell(message: Message): void;
  /** What the port sent, to whom, in order. */
  readonly sent: readonly { readonly to: Address; readonly message: Message }[];
  /** Resolves with the first message of that type that was sent or will be, or the one of that number. */
  awaitSent(type: string, number?: number): Promise<Message>;
  /** The error with which the port ended itself, once it has. */
  readonly exited: Promise<unknown>;
  close(): Promise<void>;
}

export async function openPort(spec: PortSpec): Promise<RunningPort> {
  const sent: { to: Address; message: Message }[] = [];
  const abort = new AbortController();
  let watchers: (() => void)[] = [];
  let markExited: (error: unknown) => void = () => {};
  const exited = new Promise<unknown>((done) => (markExited = done));
  const answer = await spec.open({
    self: 'test/port#1' as Pid,
    signal: abort.signal,
    send(to, message) {
      sent.push({ to, message });
      const woken = watchers;
      watchers = [];
      for (const watcher of woken) watcher();
    },
    exit: (error) => markExited(error),
  });
  const handle = working(answer);
  return {
    sent,
    exited,
    async ask(request, signal = new AbortController().signal) {
      const answer = handle.requests[request.type];
      if (answer === undefined) throw new Error(`the port has no request ${request.type}`);
      return handle.atOnce?.[request.type]?.(request) ?? (await answer(request, signal));
    },
    tell: (message) => handle.casts?.[message.type]?.(message),
    async awaitSent(type, number = 1) {
      for (;;) {
        const found = sent.filter(({ message }) => message.type === type)[number - 1];
        if (found !== undefined) return found.message;
        await new Promise<void>((done) => watchers.push(done));
      }
    },
    async close() {
      abort.abort();
      await handle.close?.();
    },
  };
}

/** The handle of a port that a test needs. */
export function working(opened: PortHandle | 'ignore'): PortHandle {
  invariant(opened !== 'ignore', 'the port has something to do');
  return opened;
}
