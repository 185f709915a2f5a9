/** What `ops/` draws and alerts on is what there is: metrics, their labels, and histograms by their parts. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../../src/telemetry/metrics/catalogue.ts';

const ops = (name: string): string => readFileSync(new URL(`../../ops/${name}`, import.meta.url), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

const rules = (parse(ops('prometheus-alerts.yml')) as Rules).groups.flatMap((group) => group.rules);
const panels = (JSON.parse(ops('grafana-dashboard.json')) as Dashboard).panels;
const expressions = [...rules.map(({ expr }) => expr), ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))];

/** The series of a metric: of a histogram its parts. */
const SERIES = new Map(
  Object.values<MetricSpec>(METRICS).flatMap(({ name, type, labels = [] }) => {
    const parts = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    return parts.map((part) => [`${name}${part}`, part === '_bucket' ? [...labels, 'le'] : labels] as const);
  }),
);
/** What every scrape adds by itself. */
const TARGET_LABELS = ['job', 'instance'];

test('each metric that an alert or a panel names is told by the service', () => {
  const named = expressions.flatMap((expr) => expr.match(/\b(?:armature|electric|process|nodejs)_\w+/g) ?? []);

  expect([named.length > 40, named.filter((name) => !SERIES.has(name))]).toEqual([true, []]);
});

test('each label that is chosen by is one of its metric', () => {
  const chosen = expressions.flatMap((expr) =>
    [...expr.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', by = '']) => {
      return [...by.matchAll(/(\w+)=/g)].map(([, label = '']) => ({ name, label }));
    }),
  );
  const unknown = chosen.filter(({ name, label }) => !TARGET_LABELS.includes(label) && SERIES.get(name)?.includes(label) !== true);

  expect(unknown).toEqual([]);
});

test('each alert says what to do, and each panel shows something', () => {
  const silent = rules.filter(({ annotations: { summary, description } }) => summary === '' || description.length < 20);
  const empty = panels.filter(({ targets, title }) => targets?.length === 0 || title === '');

  expect([rules.length > 10, silent, empty]).toEqual([true, [], []]);
});
