/** A screen that remembers what stands on it, line by line: a carriage return goes back, and what is written there covers what was. */
import type { Screen } from '../../../src/commands/progress-line.ts';

export class PaperScreen implements Screen {
  columns: number;
  writes = 0;
  private readonly written: string[] = [''];
  private column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** The last one is that in which the cursor stands; blanks at an end are not seen. */
  get lines(): readonly string[] {
    return this.written.map((line) => line.trimEnd());
  }

  write(text: string): void {
    this.writes += 1;
    for (const character of text) this.put(character);
  }

  private put(character: string): void {
    if (character === '\r') this.column = 0;
    else if (character === '\n') {
      this.written.push('');
      this.column = 0;
    } else {
      const line = this.written.pop() ?? '';
      this.written.push(line.slice(0, this.column).padEnd(this.column) + character + line.slice(this.column + 1));
      this.column += 1;
    }
  }
}
