/**
 * The order of the test files: first those that have a process each, then those that share one, and of both the longest begin: so neither
 * part ends with one of them on one processor and nothing on the other.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { rankOf } from './long-files.ts';

export class LongestFirst extends BaseSequencer {
  /** Files of the same rank as vitest has them: what failed last time, then what took longest, then what is largest. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.sort((left, right) => this.rankOf(left) - this.rankOf(right)); // A stable sort.
  }

  private rankOf({ moduleId, project }: TestSpecification): number {
    return rankOf(relative(this.ctx.config.root, moduleId), project.name);
  }
}
