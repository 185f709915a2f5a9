import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { Ground } from './suite/world.ts';
import { createFilledTable } from './workloads/rows.ts';
import { ShapeReader } from './shape-reader.ts';
const rows = Number(process.argv[2] ?? 1_000_000), rounds = Number(process.argv[3] ?? 4);
const ground = await Ground.open({ isShared: false });
const pidOf = (url: string) => Number(execFileSync('sh', ['-c', `ss -ltnp 2>/dev/null | grep ':${new URL(url).port} ' | grep -o 'pid=[0-9]*' | head -1 | cut -d= -f2`], { encoding: 'utf8' }));
function threads(pid: number) {
  const out: Record<string, [number, number]> = {};
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const f = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const k = Number(tid) === pid ? 'main' : readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
    const o = (out[k] ??= [0, 0]); o[0] += Number(f[11]) * 10; o[1] += Number(f[12]) * 10;
  }
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  out['total'] = [Number(f[11]) * 10, Number(f[12]) * 10];
  return out;
}
await ground.inWorld(async (world) => {
  await createFilledTable(world.database, 'cold_rows', rows);
  const service = await world.service();
  const pid = pidOf(service.url);
  for (let i = 0; i < rounds; i++) {
    const perf = process.env['PERF'] && i === rounds - 1 ? spawn('perf', ['record', '-F', '999', '-g', '-o', process.env['PERF'], '-p', String(pid)], { stdio: 'ignore' }) : undefined;
    if (perf) await new Promise((r) => globalThis.setTimeout(r, 500));
    const before = threads(pid); const t = performance.now();
    const reader = new ShapeReader(service.url, { table: 'cold_rows' });
    await reader.readToEnd();
    const took = performance.now() - t; const after = threads(pid);
    if (perf) { perf.kill('SIGINT'); await new Promise((r) => perf.on('exit', r)); }
    const d = Object.entries(after).map(([k, [u, s]]) => `${k} ${u - (before[k]?.[0] ?? 0)}+${s - (before[k]?.[1] ?? 0)}`);
    const sum = after['total']![0] + after['total']![1] - before['total']![0] - before['total']![1];
    console.log(`${took.toFixed(0)} ms, cpu ${(sum * 1000 / rows).toFixed(2)} us/row;`, d.join(', '));
    await service.forget({ table: 'cold_rows' });
    await new Promise((r) => globalThis.setTimeout(r, 1000));
  }
});
await ground.close?.();
process.exit(0);
