/**
 * ProcessTable: the living processes, found by pid.
 *
 * A pid ends with a number that no other process of the runtime has. That number is the index into the table, which is cut
 * into pages; a page is dropped with its last process. So the table costs eight bytes for a process, and no process that
 * hibernates needs to keep its pid as text.
 */
import type { Pid } from '../process.ts';

const PAGE_SIZE = 64;

interface Numbered {
  readonly serial: number;
  readonly pid: Pid;
}

interface Page<Process> {
  readonly slots: (Process | undefined)[];
  count: number;
}

export class ProcessTable<Process extends Numbered> {
  private readonly pages = new Map<number, Page<Process>>();
  size = 0;

  add(process: Process): void {
    const number = Math.floor(process.serial / PAGE_SIZE);
    let page = this.pages.get(number);
    if (page === undefined) {
      page = { slots: new Array<Process | undefined>(PAGE_SIZE).fill(undefined), count: 0 };
      this.pages.set(number, page);
    }
    page.slots[process.serial % PAGE_SIZE] = process;
    page.count += 1;
    this.size += 1;
  }

  /** @returns the process that has this very pid. */
  get(pid: Pid): Process | undefined {
    const serial = serialOf(pid);
    const process = this.pages.get(Math.floor(serial / PAGE_SIZE))?.slots[serial % PAGE_SIZE];
    return process?.pid === pid ? process : undefined;
  }

  /** One that is not there changes nothing. */
  delete({ serial }: Numbered): void {
    const number = Math.floor(serial / PAGE_SIZE);
    const page = this.pages.get(number);
    if (page?.slots[serial % PAGE_SIZE] === undefined) return;
    page.slots[serial % PAGE_SIZE] = undefined;
    page.count -= 1;
    this.size -= 1;
    if (page.count === 0) this.pages.delete(number);
  }

  *values(): Iterable<Process> {
    for (const { slots } of this.pages.values()) for (const process of slots) if (process !== undefined) yield process;
  }
}

/** @returns the number behind the last `#`. For a text that is no pid it may be any number: `get` compares the whole pid. */
function serialOf(pid: string): number {
  let serial = 0;
  for (let index = pid.lastIndexOf('#') + 1; index < pid.length; index += 1) serial = serial * 10 + pid.charCodeAt(index) - 48;
  return serial;
}
