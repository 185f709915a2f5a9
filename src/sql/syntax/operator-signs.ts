/**
 * How long the scanner may take over signs. It reads a run of operator signs whole before it takes the first operator
 * from it, and then the rest of the run again: 60,000 plus signs keep it for 16 s. So the runs are measured before it
 * sees the text; a string that is made of signs counts as well, since only the scanner knows where strings begin.
 */

/** Of all runs together, in signs read: some 90 ms. One run may have 4,400 signs. */
const READS_MAX = 20_000_000;
const RUN = /[~!@#^&|`?+\-*/%<>=]{2,}/g;

/** Where the run begins at which the scanner would have read too much; undefined when there is none. */
export function costlySignsAt(text: string): number | undefined {
  let reads = 0;
  for (const { 0: run, index } of text.matchAll(RUN)) {
    reads += run.length ** 2;
    if (reads > READS_MAX) return index;
  }
  return undefined;
}
