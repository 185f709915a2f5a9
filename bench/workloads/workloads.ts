/** All workloads, in the order in which they are measured. */
import type { Workload } from '../suite/workload.ts';
import { coldSnapshot, largeSnapshot } from './cold-snapshot.ts';
import { commitsLive } from './commits-live.ts';
import { createEqualityShapes } from './create-shapes.ts';
import { ingestion1, ingestion100, ingestion10000 } from './ingestion.ts';
import { latencyLongPoll, latencySse } from './latency.ts';
import { liveBesideSnapshot } from './live-beside-snapshot.ts';
import { warmSnapshot } from './warm-snapshot.ts';

export const WORKLOADS: readonly Workload[] = [
  coldSnapshot, warmSnapshot, liveBesideSnapshot,
  ingestion1, ingestion100, ingestion10000, commitsLive, latencyLongPoll, latencySse,
  createEqualityShapes,
  largeSnapshot,
];
