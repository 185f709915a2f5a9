/**
 * The order of the test files: the longest begin, so that a run does not end with one of them on one processor and nothing on the other,
 * and the small ones, which share a process, come last and side by side.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LONG_FILES, SHARED_PROCESS } from './long-files.ts';

const RANKS: ReadonlyMap<string, number> = new Map(LONG_FILES.map((file, index) => [`test/${file}.test.ts`, index]));

export class LongestFirst extends BaseSequencer {
  /** Files of the same rank as vitest has them: what failed last time, then what took longest, then what is largest. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.sort((left, right) => this.rankOf(left) - this.rankOf(right)); // A stable sort.
  }

  private rankOf({ moduleId, project }: TestSpecification): number {
    if (project.name === SHARED_PROCESS) return RANKS.size + 1; // In one run: vitest ends the process where another file is in between.
    return RANKS.get(relative(this.ctx.config.root, moduleId)) ?? RANKS.size;
  }
}
