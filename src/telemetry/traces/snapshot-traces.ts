/** SnapshotTraces: a span for the first rows of a shape, from when they are asked for until they are stored. */
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Handle } from '../../model/shape.ts';

export interface TracedSnapshot {
  running(): void;
  read(bytes: number): void;
  ended(outcome: 'completed' | 'failed'): void;
}

/** @returns undefined when the sampler leaves it out. */
export function traceSnapshot(tracer: Tracer, handle: Handle): TracedSnapshot | undefined {
  const span = tracer.startSpan('armature.snapshot', { root: true });
  if (!span.isRecording()) return undefined;
  span.setAttributes({ 'db.system.name': 'postgresql', 'armature.shape.handle': handle });
  let bytesRead = 0;
  return {
    running: () => void span.addEvent('running'),
    read(bytes) {
      bytesRead += bytes;
    },
    ended(outcome) {
      span.setAttribute('armature.snapshot.bytes', bytesRead);
      if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}
