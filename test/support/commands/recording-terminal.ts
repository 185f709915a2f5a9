/** A terminal that remembers: what a command has said, to be asked for afterwards. */
import type { Terminal } from '../../../src/commands/terminal.ts';

export class RecordingTerminal implements Terminal {
  printed = '';
  readonly complaints: string[] = [];

  print(text: string): void {
    this.printed += text;
  }

  complain(sentence: string): void {
    this.complaints.push(sentence);
  }
}
