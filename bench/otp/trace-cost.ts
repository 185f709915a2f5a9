/**
 * What an unused trace costs a message.
 *
 * Every place that could trace asks first whether anybody listens. To see what the asking costs, the same build is
 * loaded a second time with each of these questions answered in its text (`undefined` for the listener), so that the
 * compiler drops them; a third runtime had a listener that went away again. The three play short rallies in turn in
 * one process, in an order that changes each time: what moves the machine moves all three, and a difference of one
 * percent can be seen in the median of the pairs, which separate processes could not show.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as built from 'armature/otp';
import { invariant } from '../../src/base/invariant.ts';
import { cpuMicros, type Batches } from './cpu.ts';
import { rally } from './messages.ts';

type Build = typeof built;
type Play = (count: number) => Promise<void>;

const DIST = join(dirname(fileURLToPath(import.meta.resolve('armature/otp'))), '..');
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** The bundler writes `void 0` where the sources say `undefined`. */
const QUESTION = /\b(?:this|kernel|entry\.kernel)\.(?:tracer|lifecycle)(?=\?\.\(| [!=]== void 0)/g;
const WARM_UP_ROUNDS = 20;

/** @returns for each round: the message without the questions, with them, and after a listener has left; µs each. */
export async function traceCost({ batches, count }: Batches): Promise<readonly number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-untraced-'));
  try {
    const plays = [playOf(await untracedBuild(directory)), playOf(built), playOf(built, forgetListener)];
    const figures: number[] = [];
    for (let round = -WARM_UP_ROUNDS; round < batches; round += 1) {
      const each = await inSomeOrder(plays, round, count);
      if (round >= 0) figures.push(...each);
    }
    return figures;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function playOf({ createRuntime, effects }: Build, prepare?: (runtime: built.Runtime) => void): Play {
  const runtime = createRuntime();
  prepare?.(runtime);
  return rally(runtime, effects);
}

function forgetListener(runtime: built.Runtime): void {
  runtime.trace(() => undefined)();
}

/** Forwards and backwards in turn, from another one each time: nobody always comes after the same. */
async function inSomeOrder(plays: readonly Play[], round: number, count: number): Promise<readonly number[]> {
  const each = plays.map(() => 0);
  const step = round % 2 === 0 ? 1 : plays.length - 1;
  let index = Math.abs(round) % plays.length;
  for (const _ of plays) {
    const before = cpuMicros();
    await plays[index]?.(count);
    each[index] = (cpuMicros() - before) / count;
    index = (index + step) % plays.length;
  }
  return each;
}

/** A copy of the build, beside the same xstate, that cannot be traced. */
async function untracedBuild(directory: string): Promise<Build> {
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  symlinkSync(MODULES, join(directory, 'node_modules'));
  let dropped = 0;
  for (const folder of ['otp', 'chunks']) {
    cpSync(join(DIST, folder), join(directory, folder), { recursive: true });
    dropped += dropQuestions(join(directory, folder));
  }
  invariant(dropped >= 5, 'the questions whether anybody listens are found in the build');
  return (await import(pathToFileURL(join(directory, 'otp/index.js')).href)) as Build;
}

function dropQuestions(folder: string): number {
  let dropped = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(join(folder, name), 'utf8');
    dropped += text.match(QUESTION)?.length ?? 0;
    writeFileSync(join(folder, name), text.replace(QUESTION, 'undefined'));
  }
  return dropped;
}
