import '../actors/materializer.ts'; // refused: api-never-sees-storage
import type { Log } from '../storage/log.ts'; // refused: api-never-sees-storage
import '../index.ts'; // refused: nobody-imports-the-roof
import '../telemetry/log.ts'; // refused: api-sees-only-below, observers-only-observe
