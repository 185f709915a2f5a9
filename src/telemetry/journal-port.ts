/** Journal port: writes into the log what machines note. It owns nothing but the logger, and answers nobody. */
import type { Logger } from 'pino';
import type { JournalNote } from '../actors/journal.ts';
import type { Message, PortSpec } from '../otp/process.ts';

/** @param noted told of each note. */
export function journalPort(logger: Logger, noted: (note: JournalNote) => void = () => {}): PortSpec {
  return {
    name: '@journal',
    open: () => ({
      requests: {},
      casts: {
        note: (message: Message) => {
          const note = message as JournalNote; // Nothing else is sent here.
          const { type: _, level, what, ...fields } = note;
          logger[level](fields, what);
          noted(note);
        },
      },
    }),
  };
}
