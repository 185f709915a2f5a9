import type { Where } from '../sql/where.ts';
import type { Exit } from '../otp/exit.ts'; // refused: shapes-never-sees-otp
import type { Log } from '../storage/log.ts'; // refused: shapes-sees-only-below
import 'node:path'; // refused: pure-rooms-know-no-machine
import 'xstate'; // refused: shapes-packages

export type Shape = [Where, Exit, Log];
