/** Placed text: a placed chart as JSON with one state or line in a row, so that a change of one shows as one. */
import type { PlacedChart, PlacedPart } from './placed-chart.ts';

export function placedText({ machine, fingerprint, parts }: PlacedChart): string {
  const head = `"machine": ${JSON.stringify(machine)}, "fingerprint": ${JSON.stringify(fingerprint)}`;
  return `{ ${head}, "parts": [\n${parts.map(partText).join(',\n')}\n] }\n`;
}

function partText({ root, width, height, states, lines }: PlacedPart): string {
  const head = `"root": ${JSON.stringify(root)}, "width": ${width}, "height": ${height}`;
  return `{ ${head}, "states": [\n${rows(states)}\n], "lines": [\n${rows(lines)}\n] }`;
}

function rows(values: readonly object[]): string {
  return values.map((value) => JSON.stringify(value)).join(',\n');
}
