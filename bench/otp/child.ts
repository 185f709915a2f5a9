/** One workload in a process of its own: no heap and no compiled code of another one. Sends its figures, then ends. */
import { invariant } from '../../src/base/invariant.ts';
import { workloads, type WorkloadName } from './workloads.ts';

const [name = '', batches = '', count = ''] = process.argv.slice(2);
invariant(isWorkload(name), `there is a workload '${name}'`);
const figures = await workloads[name]({ batches: Number(batches), count: Number(count) });
process.send?.(figures);

function isWorkload(text: string): text is WorkloadName {
  return text in workloads;
}
