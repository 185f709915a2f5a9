/** BrokenSupervisors: the supervisor of production without one of its cures, for searches that must find out what it is for. */
import type { SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { ChildTable, type ChildChange, type ChildNews } from '../../../src/otp/supervision/child-table.ts';
import type { MachineSpec } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { stateAt, withConfig } from '../actors/machine-config.ts';

/** Looks at the ends that were kept, and makes nothing of them. */
class ForgetfulTable extends ChildTable {
  override apply(change: ChildChange): ChildNews | undefined {
    const news = super.apply(change);
    return news?.type === 'child.kept' ? undefined : news;
  }
}

/** Forgets who ended while it was busy with another. */
export function forgetfulSupervisor(spec: SupervisorSpec): MachineSpec {
  return { ...supervisor(spec), tables: () => ({ children: new ForgetfulTable(spec) }) };
}

/** One that is busy does not hear that a restart must be tried again. */
export function deafSupervisor(spec: SupervisorSpec): MachineSpec {
  const made = supervisor(spec);
  const machine = withConfig(made.machine, (config) => delete stateAt(config, '').on?.['restart.retry']);
  return { ...made, machine };
}
