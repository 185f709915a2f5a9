/** A template by which a line is the JSON array of its row's values, in their order. */
import type { LineTemplate } from '../../../src/model/line-template.ts';

export function arrayTemplate(columns: number): LineTemplate {
  const [nothing, comma] = [Buffer.alloc(0), Buffer.from(',')];
  const labels = Array.from({ length: columns }, (_, index) => (index === 0 ? nothing : comma));
  return { start: nothing, key: [], keyEnd: Buffer.from('['), labels, end: Buffer.from(']') };
}
