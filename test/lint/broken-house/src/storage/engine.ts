import type { Exit } from '../otp/exit.ts';
import 'node:fs'; // refused: fs-behind-its-file
import 'node:fs/promises'; // refused: fs-behind-its-file
import '../postgres/slot.ts'; // refused: storage-sees-only-below

export const engine: Exit = 'normal';
