import '../actors/materializer.ts';
import '../index.ts'; // refused: nobody-imports-the-roof
import '../telemetry/log.ts'; // refused: api-sees-only-below, observers-only-observe
