/** The curves of a soak as a small SVG: memory, disk, and how many there are of what is counted. */
import type { Footprint } from './footprint.ts';
import type { Sample } from './verdict.ts';

const [WIDTH, PANEL, GAP, LEFT, RIGHT, TOP] = [720, 130, 34, 64, 120, 24];
const MIB = 1024 * 1024;

interface Panel {
  readonly title: string;
  readonly unit: number;
  readonly curves: readonly (readonly [keyof Footprint, string])[];
}

const PANELS: readonly Panel[] = [
  { title: 'memory, MiB', unit: MIB, curves: [['resident', '#0b7285'], ['heap', '#e8590c']] },
  { title: 'disk, MiB', unit: MIB, curves: [['disk', '#343a40'], ['log', '#0b7285'], ['shapes', '#e8590c'], ['checkpoints', '#5f3dc4']] },
  { title: 'how many', unit: 1, curves: [['files', '#343a40'], ['directories', '#0b7285'], ['descriptors', '#e8590c']] },
];

/** @param settleSeconds where what is judged begins, as a line. */
export function curveOf(samples: readonly Sample[], settleSeconds: number): string {
  const endSeconds = Math.max(1, samples.at(-1)?.atSeconds ?? 1);
  const x = (atSeconds: number): number => round(LEFT + (atSeconds / endSeconds) * (WIDTH - LEFT - RIGHT));
  const height = TOP + PANELS.length * (PANEL + GAP);
  const panels = PANELS.flatMap((panel, index) => panelOf(panel, TOP + index * (PANEL + GAP), samples, x));
  const settled = `<path d="M${x(settleSeconds)} ${TOP}V${height - GAP}" stroke="#adb5bd" stroke-dasharray="3 3"/>`;
  const minutes = `<text x="${WIDTH - RIGHT}" y="${height - GAP + 16}" text-anchor="end">${round(endSeconds / 60)} minutes</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    settled,
    ...panels,
    minutes,
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function panelOf({ title, unit, curves }: Panel, top: number, samples: readonly Sample[], x: Scale): readonly string[] {
  const most = Math.max(1, ...curves.flatMap(([name]) => samples.map((sample) => sample[name] / unit)));
  const y = (value: number): number => round(top + PANEL - (value / unit / most) * PANEL);
  const bottom = top + PANEL;
  const line = (name: keyof Footprint): string => samples.map((sample) => `${x(sample.atSeconds)},${y(sample[name])}`).join(' ');
  return [
    `<text x="${LEFT}" y="${top - 6}" font-weight="bold">${title}</text>`,
    `<text x="${LEFT - 6}" y="${top + 8}" text-anchor="end">${Math.round(most)}</text>`,
    `<text x="${LEFT - 6}" y="${bottom}" text-anchor="end">0</text>`,
    `<path d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}" fill="none" stroke="#ced4da"/>`,
    ...curves.flatMap(([name, color], index) => [
      `<polyline fill="none" stroke="${color}" points="${line(name)}"/>`,
      `<text x="${WIDTH - RIGHT + 10}" y="${top + 12 + 16 * index}" fill="${color}">${name}</text>`,
    ]),
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
