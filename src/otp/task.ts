/**
 * Task: one asynchronous job as a process. Its outcome is its exit: `normal` when the job is done, its error when not.
 *
 * Leaving is cancelling. The job's signal is aborted when the task is told to stop, and when whoever awaits it gives up
 * or ends. A task ends no earlier than its job: one that does not obey its signal is what a shutdown time is for.
 *
 * A request `{ type: 'await', as }` is answered by `<as>.done { value }`; the effect `async` starts a task and asks so.
 */
import type { Message, PortContext, PortHandle, PortSpec } from './process.ts';

/**
 * One job as a process, which ends with it: `normal` when it is done, with its error when it fails.
 *
 * @param job may be synchronous; what it gives must be plain JSON if anybody awaits it.
 */
export function task(job: (signal: AbortSignal) => unknown): PortSpec {
  return { open: (context) => begin(job, context) };
}

function begin(job: (signal: AbortSignal) => unknown, { self, signal, send, exit }: PortContext): PortHandle {
  const outcome = run(job, signal);
  let over: { readonly value: unknown } | undefined;
  let end = (): void => exit();
  const settled = outcome.then(
    (value) => void (over = { value }),
    (thrown: unknown) => void (end = () => exit(thrown ?? new Error('the task failed without saying why'))),
  );
  // The end goes through the task's own mailbox, so that answers to those who await it are sent first.
  void settled.then(() => send(self, { type: 'job.ended' }));
  const leave = (): void => exit();
  return {
    requests: {
      await: ({ as = 'task' }, gone) => {
        const done = (value: unknown): Message => ({ type: `${String(as)}.done`, value });
        // Answered at once: the end of the task may be the next signal.
        if (over !== undefined) return done(over.value);
        gone.addEventListener('abort', leave); // Also aborted when the answer is delivered: then the job is over.
        return outcome.then(done);
      },
    },
    casts: { 'job.ended': () => end() },
    abandoned: leave,
    close: () => settled,
  };
}

async function run(job: (signal: AbortSignal) => unknown, signal: AbortSignal): Promise<unknown> {
  return await job(signal);
}
