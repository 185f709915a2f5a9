/** What every part of the api works with. */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { AdmissionLimits } from './admission.ts';
import type { CacheSettings } from './cache-control.ts';
import type { DefinitionCache } from './definition-cache.ts';
import type { ShapeFollowers } from './event-streams/shape-followers.ts';
import type { StreamTimes } from './event-streams/stream-times.ts';
import type { PollRead } from './log-read.ts';
import type { ExplainSearches } from './explain/explain-searches.ts';
import type { ApiPorts } from './ports.ts';
import type { SchemaTexts } from './schema-texts.ts';
import type { ShapeListeners } from './shape-listeners.ts';
import type { StartOffsets } from './subsets/start-offsets.ts';

export interface ApiSettings {
  readonly longPollTimeoutMs: number;
  /** How long a request waits for a service that is not ready. */
  readonly readinessTimeoutMs: number;
  readonly maxConcurrentRequests: AdmissionLimits;
  readonly cache: CacheSettings;
  readonly isDeletionEnabled: boolean;
}

export interface ApiContext {
  readonly ports: ApiPorts;
  readonly settings: ApiSettings;
  readonly listeners: ShapeListeners<PollRead>;
  readonly followers: ShapeFollowers;
  readonly streamTimes: StreamTimes;
  readonly definitions: DefinitionCache;
  readonly schemas: SchemaTexts;
  readonly starts: StartOffsets;
  readonly searches: ExplainSearches;
  readonly clock: Clock;
  readonly random: Random;
}
