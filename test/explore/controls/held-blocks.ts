/** A Consumer's table that gives nothing back when its owner ends: the block that was loaded for it stays in memory. */
import type { Fork } from '../../../src/base/fork.ts';
import type { Message, Table } from '../../../src/otp/process.ts';
import type { System, World } from '../checker/system.ts';

class Unclosed implements Table {
  constructor(private readonly table: Table) {}

  apply(change: unknown): Message | undefined {
    return this.table.apply(change);
  }

  clone(fork: Fork): Unclosed {
    return new Unclosed(this.table.clone(fork));
  }

  key(): string {
    return this.table.key();
  }
}

export function withHeldBlocks<Kind extends World<Kind>>(system: System<Kind>): System<Kind> {
  const roles = system.roles.map((role) => ({
    ...role,
    tables: (...made: Parameters<typeof role.tables>) => {
      const { log, ...others } = role.tables(...made);
      return log === undefined ? others : { ...others, log: new Unclosed(log) };
    },
  }));
  return { ...system, roles };
}
