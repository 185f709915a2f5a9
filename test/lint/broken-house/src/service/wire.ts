import '../telemetry/log.ts';
import '../http/route.ts';
import '../demo/play.ts'; // refused: service-sees-only-below
