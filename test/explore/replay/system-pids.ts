/**
 * SystemPids: the processes of a system as a runtime calls them, and as the system itself does. A system numbers the incarnations
 * of each role, `inner#2`, and knows the next number; a runtime numbers all its processes, `supervisor/inner#17`.
 */
import type { Pid } from '../../../src/otp/process.ts';

/** The parent of all roles. */
export const SUPERVISOR = 'supervisor';
const RUNNING = new RegExp(`${SUPERVISOR}/[\\w-]+#\\d+`, 'g');
const NUMBERED = /(?<![\w/-])([\w-]+)#(\d+)/g;

export class SystemPids {
  private readonly running = new Map<string, Pid[]>();
  private readonly names = new Map<string, string>();

  /** The next incarnation of a role. */
  add(role: string, pid: Pid): void {
    const pids = this.running.get(role) ?? [];
    this.running.set(role, pids);
    pids.push(pid);
    this.names.set(pid, `${role}#${pids.length}`);
  }

  /** A text in which the system's names stand for those of the runtime. */
  toSystem(text: string): string {
    return text.replace(RUNNING, (pid) => this.names.get(pid) ?? pid);
  }

  /** Likewise, of plain JSON. */
  named<Value>(value: Value): Value {
    return JSON.parse(this.toSystem(JSON.stringify(value))) as Value;
  }

  /** Plain JSON in which the runtime's names stand for those of the system. */
  toRuntime<Value>(value: Value): Value {
    const text = JSON.stringify(value).replace(NUMBERED, (name, role: string, number: string) => {
      return this.running.get(role)?.[Number(number) - 1] ?? name;
    });
    return JSON.parse(text) as Value;
  }
}
