/** All workloads, in the order in which they are measured. */
import type { Workload } from '../suite/workload.ts';
import { catchUp } from './catch-up.ts';
import { chunkGets } from './chunk-gets.ts';
import { coldSnapshot, largeSnapshot } from './cold-snapshot.ts';
import { commitsLive } from './commits-live.ts';
import { createEqualityShapes } from './create-shapes.ts';
import { fanOutLongPoll, fanOutSse } from './fan-out.ts';
import { ingestion1, ingestion100, ingestion10000 } from './ingestion.ts';
import { latencyLongPoll, latencySse } from './latency.ts';
import { liveBesideSnapshot } from './live-beside-snapshot.ts';
import { manyEqualityShapes } from './many-equality-shapes.ts';
import { memoryIdleShape, memoryLongPoll, memorySse } from './memory.ts';
import { moveIn } from './move-in.ts';
import { oneRowManyShapes } from './one-row-many-shapes.ts';
import { restart } from './restart.ts';
import { sharedInner } from './shared-inner.ts';
import { subqueryLayers } from './subquery-layers.ts';
import { subqueryPairs } from './subquery-pairs.ts';
import { subqueryValues } from './subquery-values.ts';
import { wake, wakeDormant } from './wake.ts';
import { warmSnapshot } from './warm-snapshot.ts';

export const WORKLOADS: readonly Workload[] = [
  coldSnapshot, warmSnapshot, liveBesideSnapshot,
  ingestion1, ingestion100, ingestion10000, commitsLive, latencyLongPoll, latencySse,
  createEqualityShapes, memoryIdleShape, memoryLongPoll, memorySse,
  manyEqualityShapes, oneRowManyShapes, fanOutLongPoll, fanOutSse,
  moveIn, subqueryPairs, subqueryLayers, sharedInner,
  restart, wake, wakeDormant, catchUp, chunkGets,
  largeSnapshot, subqueryValues,
];
