/**
 * What `ops/` has is loaded by Prometheus itself: the rules are checked and fired by its tool, and a server that scrapes a service has
 * numbers for each line of each panel.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { promtool, startPrometheus } from '../support/service/prometheus.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}
interface Case {
  readonly alertname: string;
  readonly exp_alerts: readonly object[];
}
interface RuleTests {
  readonly tests: readonly { readonly alert_rule_test: readonly Case[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../ops/${name}`, import.meta.url));
}

function read(name: string): string {
  return readFileSync(pathOf(name), 'utf8');
}

test('each alert is well-formed, is silent where all is well, and fires where it is not', async () => {
  const { groups } = parse(read('prometheus-alerts.yml')) as Rules;
  const { tests } = parse(read('prometheus-alerts.test.yml')) as RuleTests;
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const tried = tests.flatMap(({ alert_rule_test: cases }) => cases);

  const checked = await promtool('check', 'rules', pathOf('prometheus-alerts.yml'));
  const fired = await promtool('test', 'rules', pathOf('prometheus-alerts.test.yml'));

  const missing = alerts.filter((alert) => {
    const cases = tried.filter(({ alertname }) => alertname === alert);
    return !cases.some(({ exp_alerts: { length } }) => length > 0) || !cases.some(({ exp_alerts: { length } }) => length === 0);
  });
  expect({ missing, checked, fired }).toEqual({
    missing: [],
    checked: expect.stringContaining(`SUCCESS: ${alerts.length} rules found`) as unknown,
    fired: expect.stringContaining('SUCCESS') as unknown,
  });
});

/** Of nothing that is scraped here: the Postgres of the tests sets no limit to what a slot keeps. */
const ABSENT = ['armature_slot_safe_wal_bytes'];

/** Grafana puts in what a user chooses, and the time that a scrape takes. */
function chosen(expression: string): string {
  return expression.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5s');
}

async function followed(service: ServiceInProcess, database: TestDatabase): Promise<() => Promise<void>> {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  let id = 1_000;
  return async () => {
    id += 1;
    const polled = follower.poll();
    await database.query(`INSERT INTO items VALUES (${id}, 'title')`);
    await polled;
    const subset = new URLSearchParams({ table: 'items', offset: 'now', log: 'changes_only', subset__where: `id = ${id}` });
    await fetch(`${service.shapeUrl}?${subset.toString()}`).then((answer) => answer.text());
    await new ShapeFollower(service.shapeUrl, { table: 'items', where: `id = ${id}` }).catchUp();
  };
}

test('a server that scrapes the service has a number for each line of each panel', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  const service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'prometheus-port': '0' } });
  onTestFinished(() => service.remove());
  const prometheus = await startPrometheus(service.metricsUrl ?? '');
  onTestFinished(() => prometheus.stop());
  const work = await followed(service, database);
  const panels = (JSON.parse(read('grafana-dashboard.json')) as Dashboard).panels;
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  service.runtime.exit('@checkpointer', 'kill');

  const waiting = new Set(expressions.filter((expression) => !ABSENT.some((name) => expression.startsWith(name))));
  while (waiting.size > 0) {
    await work();
    for (const expression of waiting) {
      const values = await prometheus.query(chosen(expression));
      if (values.some(Number.isFinite)) waiting.delete(expression);
    }
  }
  const absent = await Promise.all(ABSENT.map((name) => prometheus.query(name)));

  expect([expressions.length > 40, absent]).toEqual([true, [[]]]);
});
