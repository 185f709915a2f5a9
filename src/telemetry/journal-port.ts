/** Journal port: writes into the log what machines note. It owns nothing but the logger, and answers nobody. */
import type { Logger } from 'pino';
import type { JournalNote } from '../actors/journal.ts';
import type { Message, PortSpec } from '../otp/process.ts';

export function journalPort(logger: Logger): PortSpec {
  return {
    name: '@journal',
    open: () => ({
      requests: {},
      casts: {
        note: (message: Message) => {
          const { type: _, level, what, ...fields } = message as JournalNote; // Nothing else is a note.
          logger[level](fields, what);
        },
      },
    }),
  };
}
