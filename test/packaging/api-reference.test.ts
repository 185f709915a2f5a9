/** The reference of what is exported (npm run docs:api): it is made without a warning, and nothing in it is without a word. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  Application, Logger, LogLevel, ReflectionKind, TSConfigReader, TypeDocReader, type DeclarationReflection, type ProjectReflection,
} from 'typedoc';
import { invariant } from '../../src/base/invariant.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const BUILD_MS_MAX = 120_000;
const TYPES = [ReflectionKind.Interface, ReflectionKind.Class];
/** The name of an error is what it is called. */
const ERROR_NAME = /Error\.name$/;

/** Keeps what is wrong. */
class KeptLogger extends Logger {
  readonly wrong: string[] = [];

  override log(message: string, level: LogLevel): void {
    super.log(message, level);
    if (level >= LogLevel.Warn) this.wrong.push(message);
  }
}

const logger = new KeptLogger();
let project: ProjectReflection;

beforeAll(async () => {
  const options = { options: join(REPOSITORY, 'typedoc.json') };
  const application = await Application.bootstrap(options, [new TypeDocReader(), new TSConfigReader()]);
  application.logger = logger;
  const converted = await application.convert();
  invariant(converted !== undefined, `the sources can be read: ${logger.wrong.join('; ')}`);
  application.validate(converted);
  project = converted;
}, BUILD_MS_MAX);

/** What is exported, each under one name. */
const declarations = (): readonly DeclarationReflection[] =>
  (project.children ?? []).flatMap(({ children = [] }) => children).filter(({ kind }) => kind !== ReflectionKind.Reference);

function isDescribed({ comment, signatures, getSignature, type }: DeclarationReflection): boolean {
  const inType = type?.type === 'reflection' ? type.declaration.signatures : undefined;
  const comments = [comment, getSignature?.comment, ...[...(signatures ?? []), ...(inType ?? [])].map((each) => each.comment)];
  return comments.some((each) => each?.hasVisibleComponent());
}

test('is made without a warning', () => {
  expect(logger.wrong).toEqual([]);
});

test('has both of what the package exports', () => {
  const names = ['startService', 'ServiceOptions', 'nodeListener', 'createRuntime', 'supervisor', 'effects'];

  expect(names.filter((name) => !declarations().some((declaration) => declaration.name === name))).toEqual([]);
});

test('says something of each name, and of each member of a type', () => {
  const members = declarations().filter(({ kind }) => TYPES.includes(kind)).flatMap(({ children = [] }) => children);
  const own = members.filter(({ inheritedFrom, kind }) => inheritedFrom === undefined && kind !== ReflectionKind.Constructor);

  const silent = [...declarations(), ...own].filter((declaration) => !isDescribed(declaration)).map((each) => each.getFullName());

  expect(silent.filter((name) => !ERROR_NAME.test(name))).toEqual([]);
});

test('says of each option what it means, what it is counted in, and what it is by default', () => {
  const options = declarations().find(({ name }) => name === 'ServiceOptions')?.children ?? [];
  const textOf = (option: DeclarationReflection): string => (option.comment?.summary ?? []).map(({ text }) => text).join('');

  const [silent, uncounted, open] = [
    options.filter((option) => textOf(option) === ''),
    options.filter((option) => /Ms$|Bytes|Seconds/.test(option.name) && !/milliseconds|bytes|seconds/.test(textOf(option))),
    options.filter((option) => option.flags.isOptional && !/Default: |Either this/.test(textOf(option))),
  ].map((found) => found.map(({ name }) => name));

  expect({ silent, uncounted, open, isLong: options.length > 30 }).toEqual({ silent: [], uncounted: [], open: [], isLong: true });
});
