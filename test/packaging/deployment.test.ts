/** The configurations of docs/deployment.md: nginx takes its own, and the unit of systemd names what is there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SETTINGS, variableOf, type Setting } from '../../src/settings/settings.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/deployment.md'), 'utf8');

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '';
}

test('nginx takes the configuration that the page shows', () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-nginx-'));
  mkdirSync(join(directory, 'cache'));
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join(' ');
  const ofPage = block('nginx');
  const shown = ofPage.replace('/var/cache/nginx/armature', join(directory, 'cache')).replace('listen 80', 'listen 127.0.0.1:18080');
  const whole = `pid ${directory}/pid; events {} http { access_log off; ${bodies} ${shown} }`;
  writeFileSync(join(directory, 'nginx.conf'), whole);

  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  const words = ['-t', '-q', '-p', directory, '-c', 'nginx.conf', '-e', 'stderr'];
  const { status, stderr } = spawnSync('nginx', words, { env, encoding: 'utf8' });

  rmSync(directory, { recursive: true, force: true });
  expect({ status, stderr, isShown: ofPage.includes('proxy_pass') }).toEqual({ status: 0, stderr: '', isShown: true });
});

test('nginx lets clients to shapes and to health, and to no path below them', () => {
  const locations = Array.from(block('nginx').matchAll(/^ *location (.*) \{$/gm), ([, location]) => location);

  expect(locations).toEqual(['= /v1/shape', '= /v1/health']);
});

test('the unit of systemd sets settings that there are, and stops later than a drain ends', () => {
  const unit = new Map(block('ini').split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  const named = [...(unit.get('Environment') ?? '').matchAll(/\b(ARMATURE_\w+)=/g)].map(([, name = '']) => name);
  const known = Object.values<Setting>(SETTINGS).map(variableOf);

  expect({
    unknown: named.filter((name) => !known.includes(name)),
    isLater: Number(unit.get('TimeoutStopSec')) * 1000 > SETTINGS.drainTimeoutMs.type.parse(undefined),
    never: unit.get('RestartPreventExitStatus'),
  }).toEqual({ unknown: [], isLater: true, never: '2' });
});
