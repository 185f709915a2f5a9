/**
 * Lifecycle log: starts, ends and restarts of processes as log lines.
 *
 * An end is told once: who ends with somebody else's error, because a link or a supervisor passed it on, is no second
 * crash. Why something ended in good order, or what a shape's processes do from day to day, is for `debug`.
 */
import type { Logger } from 'pino';
import { isOurFault } from '../base/our-fault.ts';
import { isFault, type ErrorReport, type ExitReason, type Name, type Pid } from '../otp/process.ts';
import type { Runtime } from '../otp/runtime.ts';
import type { LifecycleRecord } from '../otp/kernel/trace.ts';

/** @returns how to end it. */
export function logLifecycle(runtime: Pick<Runtime, 'lifecycle'>, logger: Logger): () => void {
  const lifecycles = new LifecycleLog(logger);
  return runtime.lifecycle((record) => lifecycles.tell(record));
}

class LifecycleLog {
  private readonly logger: Logger;
  /** Reasons are passed on by reference. */
  private readonly told = new WeakSet<ErrorReport>();
  /** Of the tree's own processes, so there are few. */
  private readonly started = new Set<Name>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  tell(record: LifecycleRecord): void {
    switch (record.type) {
      case 'spawn':
        if (isRoot(record.process)) this.logger.info({ process: record.process }, 'root.started');
        else if (record.name !== undefined) this.tellStart(record.process, record.name);
        return;
      case 'restart':
        this.logger.warn({ process: record.process, supervisor: record.supervisor }, 'process.restarted');
        return;
      case 'exit':
        this.tellEnd(record.process, record.reason);
        return;
    }
  }

  /** A name that comes again comes by a restart, which has a line of its own. One with a slash belongs to a shape. */
  private tellStart(process: Pid, name: Name): void {
    if (name.includes('/') || this.started.has(name)) return;
    this.started.add(name);
    this.logger.debug({ process, name }, 'process.started');
  }

  private tellEnd(process: Pid, reason: ExitReason): void {
    if (isFault(reason) && this.isNews(reason)) this.logger.error({ process, err: this.errorOf(reason) }, 'process.crashed');
    else if (isRoot(process)) this.logger.info({ process, reason: plain(reason) }, 'root.ended');
    else this.logger.debug({ process, reason: plain(reason) }, 'process.ended');
  }

  private isNews(reason: ExitReason): boolean {
    if (typeof reason === 'string' || !('error' in reason)) return true;
    if (this.told.has(reason.error)) return false;
    this.told.add(reason.error);
    return true;
  }

  private errorOf(reason: ExitReason): object {
    if (typeof reason === 'string' || !('error' in reason)) {
      return { type: reason, message: reason === 'killed' ? 'it was ended by force' : 'somebody whom it is linked to was not there' };
    }
    const { name, message, stack } = reason.error;
    const showsStack = stack !== undefined && (isOurFault({ name }) || this.logger.isLevelEnabled('debug'));
    return { type: name, message, ...(showsStack ? { stack } : {}) };
  }
}

function isRoot(process: Pid): boolean {
  return !process.includes('/');
}

/** Without stacks, however deep: the error was told already, where it happened. */
function plain(reason: ExitReason): unknown {
  return JSON.parse(JSON.stringify(reason, (key, value: unknown) => (key === 'stack' ? undefined : value)));
}
