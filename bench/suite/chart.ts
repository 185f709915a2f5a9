/**
 * All figures of a run that have a target, as one picture. What they are measured in differs, so the axis is how many times the target
 * each is, by a logarithm: to the left of the line it is met, whichever way is better. A ring stands where the limit of the same run is.
 */
import type { Result, Run } from './run-result.ts';
import { amountOf, digits } from './table.ts';
import { isMet, type Verdict } from './verdict.ts';

const WIDTH = 1080;
const LEFT = 400;
const RIGHT = 300;
const TOP = 84;
const ROW = 22;
const GROUP = 12;
const BOTTOM = 66;
/** Of the axis, in powers of two: what lies beyond is drawn at the edge. */
const [LEAST, MOST] = [-4, 5];

const STYLE = `
  .page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2933 } .title { font-size: 17px; font-weight: 600 }
  .faint { fill: #6b7684 } .grid { stroke: #e4e8ec } .target { stroke: #6b7684; stroke-width: 1.5 }
  .end { text-anchor: end } .mid { text-anchor: middle } .limit { fill: none; stroke: #6b7684; stroke-width: 1.5 }
  .met { fill: #11807a; stroke: #11807a } .missed { fill: #d1571b; stroke: #d1571b }
  @media (prefers-color-scheme: dark) {
    .page { fill: #14181d } text { fill: #e6eaef } .faint { fill: #94a0ae } .grid { stroke: #2a313a }
    .target, .limit { stroke: #94a0ae } .met { fill: #35b8af; stroke: #35b8af } .missed { fill: #f0854a; stroke: #f0854a }
  }`;

export function chartOf(run: Run): string {
  const groups = run.results.map((result) => ({ result, aimed: result.figures.filter(({ timesTarget }) => timesTarget !== undefined) }));
  const shown = groups.filter(({ aimed }) => aimed.length > 0);
  const rows: string[] = [];
  let y = TOP;
  for (const { result, aimed } of shown) {
    for (const [index, verdict] of aimed.entries()) {
      rows.push(rowOf(index === 0 ? result : undefined, verdict, y + ROW / 2));
      y += ROW;
    }
    y += GROUP;
  }
  const height = y + BOTTOM - GROUP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Figures against their targets">
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
<text class="title" x="24" y="34">How far from the target</text>
<text class="faint" x="24" y="56">${escaped(captionOf(run))}</text>
${axisOf(y - GROUP)}
${rows.join('\n')}
${legendOf(height - 14)}
</svg>
`;
}

function captionOf({ commit, date, node, processors, rounds }: Run): string {
  return `${commit}, ${date}, Node ${node.slice(1)}, ${processors}, medians of ${rounds}`;
}

function axisOf(bottom: number): string {
  const powers = Array.from({ length: MOST - LEAST + 1 }, (_, index) => LEAST + index);
  return powers
    .map((power) => {
      const x = xOf(2 ** power);
      const label = power < 0 ? `1/${2 ** -power}` : `${2 ** power} ×`;
      const line = `<line class="${power === 0 ? 'target' : 'grid'}" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${bottom + 4}"/>`;
      return `${line}<text class="faint mid" x="${x}" y="${bottom + 20}">${power === 0 ? 'target' : label}</text>`;
    })
    .join('\n');
}

function rowOf(result: Result | undefined, verdict: Verdict, y: number): string {
  const { what, unit, measured, timesLimit, target = '', timesTarget = 1 } = verdict;
  const kind = isMet(verdict) === true ? 'met' : 'missed';
  const x = xOf(timesTarget);
  const name = result === undefined ? '' : `<text x="24" y="${y + 4}">${escaped(result.name)}</text>`;
  const ratio = timesLimit === undefined ? '' : ` = ${digits(timesLimit)} ×`;
  const told = `${amountOf(measured, unit)}${ratio}, ${target}`;
  return `${name}<text class="faint end" x="${LEFT - 16}" y="${y + 4}">${escaped(what)}</text>` +
    `<line class="${kind}" x1="${xOf(1)}" x2="${x}" y1="${y}" y2="${y}" stroke-width="3"/>${limitOf(verdict, y)}` +
    `<circle class="${kind}" cx="${x}" cy="${y}" r="5"/><text class="faint" x="${WIDTH - RIGHT + 18}" y="${y + 4}">${escaped(told)}</text>`;
}

/** Where more is better the limit is the left end too. */
function limitOf({ timesLimit, timesTarget = 1, target = '' }: Verdict, y: number): string {
  if (timesLimit === undefined || timesLimit <= 0) return '';
  const timesBest = target.includes('≥') ? timesLimit : 1 / timesLimit;
  return `<circle class="limit" cx="${xOf(timesTarget * timesBest)}" cy="${y}" r="5"/>`;
}

function legendOf(y: number): string {
  const entries = [['met', 0, 'met'], ['missed', 70, 'not met'], ['limit', 160, 'the limit, measured in the same run']] as const;
  const drawn = entries.map(([kind, at, words]) => {
    const x = LEFT + at;
    return `<circle class="${kind}" cx="${x}" cy="${y - 4}" r="5"/><text class="faint" x="${x + 12}" y="${y}">${words}</text>`;
  });
  return drawn.join('');
}

function xOf(times: number): number {
  const power = Math.min(MOST, Math.max(LEAST, Math.log2(Math.max(times, 2 ** LEAST))));
  return Math.round(LEFT + ((power - LEAST) / (MOST - LEAST)) * (WIDTH - LEFT - RIGHT));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
