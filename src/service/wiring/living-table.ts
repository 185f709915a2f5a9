/** LivingTable: the table of the process that has a name now. Requests and other processes read it by that name, as in ETS. */
import type { Name, Table } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';

/** @returns undefined while no process has the name: the table of a dead process is never read. */
export function livingTable<Kind extends Table>(
  runtime: Pick<Runtime, 'tableOf'>,
  process: Name,
  table: string,
  kind: new (...made: never[]) => Kind,
): Kind | undefined {
  const found: unknown = runtime.tableOf(process, table);
  return found instanceof kind ? found : undefined;
}
