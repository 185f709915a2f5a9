import { setup } from 'xstate';
import type { Log } from '../storage/log.ts';
import type { Request } from './consumer-ports.ts';
import { engine } from '../storage/engine.ts'; // refused: actors-know-no-engine
import { materializer } from './materializer.ts'; // refused: actors-know-no-other-machine
import '../supervisors/stack.ts'; // refused: actors-sees-only-below
import 'node:net'; // refused: net-behind-its-file
import 'pg'; // refused: actors-packages

export const consumer = setup({ types: { context: {} as { log: Log; request: Request } } }).createMachine({
  context: { log: engine, request: materializer },
});
