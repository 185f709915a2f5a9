/** ChildRows: a supervisor's children in the order of their start, found by id and by pid at the same cost for any number. */
import { afterSpawn, type ChildRow } from './child-row.ts';
import type { Address, Pid } from '../process.ts';

export interface Spawned {
  readonly id: string;
  readonly process: Pid;
  readonly isSupervisor: boolean;
}

export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

export class ChildRows<Row extends ChildRow = ChildRow> {
  private readonly byId = new Map<string, Row>();
  private readonly byPid = new Map<Address, Row>();
  private supervisors = 0;

  get size(): number {
    return this.byId.size;
  }

  /** How many have a process. */
  get activeCount(): number {
    return this.byPid.size;
  }

  ofId(id: string): Row | undefined {
    return this.byId.get(id);
  }

  ofPid(pid: Address): Row | undefined {
    return this.byPid.get(pid);
  }

  all(): MapIterator<Row> {
    return this.byId.values();
  }

  add(row: Row): Row {
    this.byId.set(row.id, row);
    if (row.pid !== undefined) this.byPid.set(row.pid, row);
    this.supervisors += row.isSupervisor ? 1 : 0;
    return row;
  }

  forget(row: Row): void {
    this.markDown(row);
    if (this.byId.delete(row.id)) this.supervisors -= row.isSupervisor ? 1 : 0;
  }

  noteSpawned({ id, process, isSupervisor }: Spawned): void {
    const row = this.byId.get(id);
    if (row === undefined) return;
    this.supervisors += Number(isSupervisor) - Number(row.isSupervisor);
    row.isSupervisor = isSupervisor;
    row.status = 'starting';
    row.failedPid = undefined;
    row.pid = process;
    row.spawned += 1;
    row.spec = afterSpawn(row.spec);
    this.byPid.set(process, row);
  }

  markDown(row: Row): void {
    if (row.pid !== undefined) this.byPid.delete(row.pid);
    row.pid = undefined;
    row.status = 'down';
  }

  counts(): ChildCounts {
    const { size: specs, activeCount: active, supervisors } = this;
    return { specs, active, supervisors, workers: specs - supervisors };
  }

  clone(): ChildRows<Row> {
    const copy = new ChildRows<Row>();
    for (const row of this.byId.values()) copy.add({ ...row });
    return copy;
  }
}
