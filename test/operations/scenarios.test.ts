/**
 * The scenarios of the reference's integration tests, by their names, and that each is held: by the file of its name beside this one, over
 * the built service and a Postgres of its own, or elsewhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SCENARIOS = [
  'crash-recovery', 'db-connection-scaledown', 'exceedingly-large-transaction', 'installation-id-persistence',
  'insufficient-connection-resources', 'invalid-wal-level', 'invalidated-replication-slot', 'ipv6-to-ipv4-fallback',
  'manual-table-publishing', 'not-owner-of-the-publication', 'not-owner-of-the-table', 'otel-export', 'pooled-connections',
  'postgres-disconnection', 'recreation-of-replication-slot', 'replication-keepalive-during-backpressure', 'replication-lifetime',
  'replication-slot-self-conflict', 'rolling-deploy', 'secure-db-connection', 'secure-mode', 'self-heal-stuck-slot-creation',
  'shape-suspension-resumption', 'startup-delayed-by-pending-transaction',
];

/** Those without a file here: why, or where they are held. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'installation-id-persistence': 'Armature tells nobody that it was installed, so it has no id for that.',
  'otel-export': 'Spans by the API of OpenTelemetry (test/service/traces.test.ts), figures by Prometheus (test/service/metrics.test.ts).',
  'shape-suspension-resumption': 'A shape that waits hibernates, and wakes where it was: test/service/hibernating-shapes.test.ts.',
};

const HERE = readdirSync(import.meta.dirname)
  .flatMap((name) => (name.endsWith('.test.ts') ? [name.slice(0, -'.test.ts'.length)] : []))
  .filter((name) => name !== 'scenarios');

test('each scenario has a file here, or a sentence that says where it is held', () => {
  const held = [...HERE, ...Object.keys(ELSEWHERE)];

  expect({
    missing: SCENARIOS.filter((name) => !held.includes(name)),
    twice: HERE.filter((name) => name in ELSEWHERE),
    unknown: Object.keys(ELSEWHERE).filter((name) => !SCENARIOS.includes(name)),
  }).toEqual({ missing: [], twice: [], unknown: [] });
});

test.each(HERE.filter((name) => SCENARIOS.includes(name)))('each title of %s begins with its name', (name) => {
  const text = readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8');
  const titles = [...text.matchAll(/^ *\b(?:test|describe)(?:\.each\([^]*?\n?\]\))?\(\s*['`]([^'`]+)/gm)].map(([, title = '']) => title);

  expect([titles.length > 0, titles.filter((title) => !title.startsWith(`${name}: `))]).toEqual([true, []]);
});
