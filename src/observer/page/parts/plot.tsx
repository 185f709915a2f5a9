/** Plot: numbers of the last minutes over time. What a screen reader gets is the newest number. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface Curve {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  /** Since 1970. */
  readonly seconds: readonly number[];
  readonly curves: readonly Curve[];
  readonly format: (value: number) => string;
}

const HEIGHT = 110;
const COLOURS = ['--mark', '--warm'];
const CURVE = { width: 1.5, points: { show: false } };

export function Plot({ title, seconds, curves, format }: PlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const data: uPlot.AlignedData = [[...seconds], ...curves.map(({ values }) => [...values])];
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(optionsFor(element, curves, format), data, element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [title, curves.length]);
  useEffect(() => plot.current?.setData(data), [seconds]);
  return (
    <figure class="plot">
      <figcaption>{title} <output>{curves.map(({ label, values }) => newest(label, values, format)).join(' · ')}</output></figcaption>
      <div ref={holder} aria-hidden="true" />
    </figure>
  );
}

function newest(label: string, values: readonly (number | null)[], format: (value: number) => string): string {
  const value = values.findLast((each) => each !== null);
  return `${label} ${value === undefined || value === null ? '–' : format(value)}`.trim();
}

function optionsFor(element: HTMLElement, curves: readonly Curve[], format: (value: number) => string): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
  const grid = { stroke: colour('--edge'), width: 0.5 };
  const axis = { stroke: colour('--faint'), grid, ticks: grid, font: '11px system-ui, sans-serif' };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [{ ...axis, size: 28 }, { ...axis, size: 62, space: 30, values: (_plot, values) => values.map(format) }],
    series: [{}, ...curves.map(({ label }, index) => ({ ...CURVE, label, stroke: colour(COLOURS[index] ?? '--mark') }))],
  };
}
