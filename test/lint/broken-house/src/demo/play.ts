import 'pg';
import '../postgres/slot.ts';
import '../telemetry/log.ts'; // refused: observers-only-observe
