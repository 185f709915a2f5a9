/**
 * A process beside the service that does the bare minimum of what the service does, or gets in its way: so that what it uses of the
 * processor is told apart from what a benchmark uses, and so that it has a processor of its own where the service has one.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { invariant } from '../../src/base/invariant.ts';
import { enterProcess } from '../../test/support/service/running-processes.ts';
import { type ProcessUsage, usageOf } from '../process-usage.ts';
import { QUIET_MS } from '../timing.ts';

/** Each says `{ ready: … }` when it can be asked. */
export type PeerFile = 'bare-server' | 'bare-follower' | 'spinner' | 'snapshot-reader';

/** What it is asked, and what it answers: whatever its file says of itself. */
export type Message = Readonly<Record<string, string | number | readonly string[]>>;

export interface Peer {
  /** What it said when it was ready. */
  readonly ready: Message;
  tell(message: Message): void;
  /** Its next message, which nobody else waits for. @throws when it ends instead. */
  next(): Promise<Message>;
  usage(): ProcessUsage;
  /** How long it has nothing to do before it counts as at rest. */
  readonly quietMs: number;
  /** Stops it where it is; `resume` lets it go on. */
  hold(): void;
  resume(): void;
  end(): Promise<void>;
}

export async function startPeer(file: PeerFile, args: readonly string[]): Promise<Peer> {
  const child = fork(join(import.meta.dirname, `${file}.ts`), args);
  enterProcess(child);
  const { pid } = child;
  invariant(pid !== undefined, 'a child that was forked has a process');
  const exited = once(child, 'exit');
  const next = async (): Promise<Message> => {
    const said = once(child, 'message').then(([message]: Message[]) => message);
    const message = await Promise.race([said, exited.then(() => undefined)]);
    invariant(message !== undefined, `${file} lasts as long as it is needed`);
    return message;
  };
  return {
    ready: await next(),
    tell: (message) => void child.send(message),
    next,
    usage: () => usageOf(pid),
    quietMs: QUIET_MS,
    hold: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
