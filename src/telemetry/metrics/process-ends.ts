/** ProcessEnds: restarts by supervisor and ends by kind and reason, counted as the runtime tells of them. */
import type { ExitReason } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';
import { pathOf, processKind } from '../process-kind.ts';
import type { MadeMetrics } from './made-metrics.ts';

/** @returns how to end it. */
export function countEnds(runtime: Pick<Runtime, 'lifecycle'>, { restarts, ends }: MadeMetrics): () => void {
  return runtime.lifecycle((record) => {
    if (record.type === 'restart') restarts.inc({ supervisor: pathOf(record.supervisor) });
    else if (record.type === 'exit') ends.inc({ kind: processKind(record.process), reason: reasonWord(record.reason) });
  });
}

/** One of few words, whatever the reason carries. */
export function reasonWord(reason: ExitReason): string {
  if (typeof reason === 'string') return reason;
  return 'error' in reason ? 'error' : 'shutdown';
}
