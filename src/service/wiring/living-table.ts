/** LivingTable: the table of a process that lives now, by its pid, or by the name that it has at present: read as in ETS. */
import type { Address, Table } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';

/** @returns undefined while there is no such process: the table of a dead process is never read. */
export function livingTable<Kind extends Table>(
  runtime: Pick<Runtime, 'tableOf'>,
  process: Address,
  table: string,
  kind: new (...made: never[]) => Kind,
): Kind | undefined {
  const found: unknown = runtime.tableOf(process, table);
  return found instanceof kind ? found : undefined;
}
