/**
 * SVG chart: a placed chart as a picture that stands alone, for pages that show pictures only.
 *
 * It brings its own colours for light and dark, and its own ground, because a page may be dark where the reader's
 * system is light. Every word is escaped: a name may hold anything.
 */
import { FONT_SIZES, LINE_HEIGHTS, type TextLine } from './chart-text.ts';
import type { Box, PlacedLine, PlacedPart, PlacedState } from './placed-chart.ts';

const STYLE = `
svg { --ground: #ffffff; --ink: #1c2430; --faint: #5b6675; --line: #8591a1 }
svg { --box: #f4f6f9; --edge: #b8c1cd; --end: #e6ebf1; --mark: #0b5cad }
@media (prefers-color-scheme: dark) {
svg { --ground: #12161c; --ink: #e6ebf2; --faint: #a3afbf; --line: #7d8a9b }
svg { --box: #1b222c; --edge: #465264; --end: #2a3441; --mark: #7cb8f7 }
}
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
text { fill: var(--ink) }
.name { font-size: ${FONT_SIZES.name}px; font-weight: 600 }
.event { font-size: ${FONT_SIZES.event}px; fill: var(--mark) }
.guard, .action { font-size: ${FONT_SIZES.guard}px; fill: var(--faint) } .guard { font-style: italic }
rect { fill: var(--box); stroke: var(--edge) } .compound, .parallel { fill: none } .final { fill: var(--end); stroke-width: 3 }
.ground { fill: var(--ground); stroke: none } .any, .away { fill: none; stroke-dasharray: 3 3 } .cut { stroke-width: 2 }
.label { fill: var(--ground); stroke: none }
path { fill: none; stroke: var(--line); stroke-width: 1.2 }
.start, .arrow { fill: var(--line); stroke: none }
`.trim();

const MARKER =
  '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">' +
  '<path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>';

/** Corners are round by so much. */
const BEND = 6;

export function svgOf(title: string, { width, height, states, lines }: PlacedPart): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    MARKER,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...states.map(stateText),
    ...lines.map(pathText),
    ...lines.filter(({ label }) => label.lines.length > 0).map(labelText),
    '</svg>',
    '',
  ].join('\n');
}

/** @returns the way of a line as the `d` of a path. */
export function pathOf({ points }: Pick<PlacedLine, 'points'>): string {
  return points.map((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    if (before === undefined) return `M${point.join(' ')}`;
    if (after === undefined) return `L${point.join(' ')}`;
    return `L${towards(point, before)}Q${point.join(' ')} ${towards(point, after)}`;
  }).join('');
}

/** @returns each line of text with the place of its baseline. */
export function textPlaces(lines: readonly TextLine[], top: number): readonly (TextLine & { readonly y: number })[] {
  let y = top;
  return lines.map((line) => {
    y += LINE_HEIGHTS[line.style];
    return { ...line, y: y - LINE_HEIGHTS[line.style] * 0.28 };
  });
}

function stateText({ kind, lines, ...box }: PlacedState): string {
  const radius = box.width / 2;
  if (kind === 'start') return `<circle class="start" cx="${box.x + radius}" cy="${box.y + radius}" r="${radius}"/>`;
  return `<rect class="${kind}" rx="6" ${attributes(box)}/>${words(lines, box.x + 10, box.y + 6)}`;
}

function pathText(line: PlacedLine): string {
  return `<path d="${pathOf(line)}" marker-end="url(#arrow)"/>`;
}

function labelText({ label }: PlacedLine): string {
  return `<rect class="label" ${attributes(label)}/>${words(label.lines, label.x + 2, label.y + 2)}`;
}

function words(lines: readonly TextLine[], x: number, top: number): string {
  return textPlaces(lines, top)
    .map(({ text, style, y }) => `<text class="${style}" x="${x}" y="${y.toFixed(1)}">${escaped(text)}</text>`)
    .join('');
}

function attributes({ x, y, width, height }: Box): string {
  return `x="${x}" y="${y}" width="${width}" height="${height}"`;
}

function towards([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): string {
  const length = Math.hypot(toX - x, toY - y);
  const part = length === 0 ? 0 : Math.min(BEND, length / 2) / length;
  return `${(x + (toX - x) * part).toFixed(1)} ${(y + (toY - y) * part).toFixed(1)}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
