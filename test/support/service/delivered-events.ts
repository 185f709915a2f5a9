/**
 * What the machines behind the log were told while one transaction went through the running service: as many
 * transitions as there are events. That Postgres's log went on with nothing for us is left out.
 */
import type { Runtime } from '../../../src/otp/runtime.ts';
import type { NumberedRecord } from '../../../src/otp/kernel/trace.ts';

type Delivery = Extract<NumberedRecord, { type: 'deliver' }>;

/**
 * What brought no transaction is left out: the log also holds records of shapes, whose snapshots may end at any time.
 *
 * @param commit makes one transaction that concerns at least one shape.
 * @returns in order, until the shapes have taken it: `shape-log-collector block.delivered`, a process and its event.
 */
export async function eventsOf(runtime: Runtime, commit: () => Promise<unknown>): Promise<string[]> {
  const deliveries: Delivery[] = [];
  let end = logEnd(runtime);
  let settle = (): void => {};
  const isSettled = new Promise<void>((done) => (settle = done));
  const stop = runtime.trace((record) => {
    if (record.type === 'transition' && record.event === 'block.delivered') {
      if (deliveries.some(({ message }) => message.type === 'layer.ready')) settle();
      else deliveries.length = 0;
    }
    if (record.type !== 'deliver' || !record.to.startsWith('stack/shapes/')) return;
    const { type, through } = record.message;
    const isProgressAlone = type === 'log.extended' && Number(through) <= end;
    if (type === 'log.extended') end = Math.max(end, Number(through));
    if (!isProgressAlone) deliveries.push(record);
  });
  await commit();
  await isSettled;
  stop();
  return deliveries.map(({ to, message }) => `${idOf(to)} ${message.type}`);
}

function logEnd(runtime: Runtime): number {
  const { context } = runtime.refOf('@shape-log-collector')?.getSnapshot() as { context: { durableEnd: number } };
  return context.durableEnd;
}

/** `stack/shapes/consumers/1-2#34` is `1-2`: the id under which its supervisor has it. */
function idOf(pid: string): string {
  return pid.slice(0, pid.lastIndexOf('#')).replace(/^stack\/shapes\/(?:consumers\/)?/, '');
}
