/** What the service opened before its tree starts, and closes after the tree has stopped. */
import type { Logger } from 'pino';
import type { Runtime } from '../otp/runtime.ts';
import type { Configuration } from '../settings/configuration.ts';
import type { SubsetLanguage } from '../sql/subset.ts';
import type { FamilyLanguage } from '../sql/filter-family.ts';
import type { ExplainLanguage } from '../sql/where-explanation.ts';
import type { WhereLanguage } from '../sql/where.ts';
import type { Storage } from '../storage/storage.ts';
import type { ServiceTroubles } from '../telemetry/service-troubles.ts';
import type { World } from './world.ts';
import type { Database } from './database.ts';
import type { Watches } from './wiring/watches.ts';

export interface ServiceResources {
  readonly configuration: Configuration;
  readonly world: World;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly language: WhereLanguage & FamilyLanguage & SubsetLanguage & ExplainLanguage;
  readonly database: Database;
  readonly runtime: Runtime;
  readonly watches: Watches;
  readonly troubles: ServiceTroubles;
}
