import type { Word } from '../base/word.ts';
import type { Xid } from './xid.ts'; // refused: no-cycle
import type { Process } from '../otp/process.ts'; // refused: model-sees-only-below
import type { AnyStateMachine } from 'xstate'; // refused: model-packages

export type Lsn = [Word, Xid, Process, AnyStateMachine];
