/** The table of whoever has a name now, as requests and other processes read it: like an ETS table of OTP, by name. */
import type { Name, Table } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';

/** @returns undefined while nobody has the name: of a process that died nothing is read. */
export function livingTable<Kind extends Table>(
  runtime: Pick<Runtime, 'tableOf'>,
  process: Name,
  table: string,
  kind: new (...made: never[]) => Kind,
): Kind | undefined {
  const found: unknown = runtime.tableOf(process, table);
  return found instanceof kind ? found : undefined;
}
